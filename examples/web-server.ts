// A web server that enqueues what is posted to it and answers at once; a worker elsewhere embeds.
//
//   bun examples/web-server.ts
//   curl -d 'Streams keep order' http://127.0.0.1:3000/articles/1
//   curl http://127.0.0.1:3000/articles/1
//
// REDIS_URL names the Redis, PORT the port.

import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { EmbeddingQueue, EmbedqError, type ErrorCode } from "embedq";

const queue = new EmbeddingQueue({
  redis: process.env.REDIS_URL ?? "redis://127.0.0.1:6379",
  name: "articles",
  flushIntervalMs: 200, // somebody may be waiting
});

/** What an error of the queue is to a caller; everything else is our own trouble. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_INPUT_INVALID: 400,
  ERR_WAIT_TIMEOUT: 504,
};

/** The whole server in web standards: as it is for `Bun.serve({ fetch })` and `Deno.serve(fetch)`. */
async function answer(request: Request): Promise<Response> {
  const [, id] = /^\/articles\/([\w-]+)$/.exec(new URL(request.url).pathname) ?? [];
  if (id === undefined) return Response.json({ error: "not found" }, { status: 404 });
  const key = `article:${id}`;
  try {
    if (request.method === "POST") {
      // Store the text where it belongs first, then enqueue it.
      const ticket = await queue.enqueue(key, await request.text());
      return Response.json(ticket, { status: 202 });
    }
    const version = Number(new URL(request.url).searchParams.get("version") ?? 1);
    const outcome = await queue.ticket(key, version).outcome({ timeoutMs: 5000 });
    const dimensions = "embedding" in outcome ? outcome.embedding?.length : undefined;
    return Response.json({ key, status: outcome.status, dimensions });
  } catch (error) {
    if (!(error instanceof EmbedqError)) throw error;
    return Response.json({ error: error.message }, { status: STATUS[error.code] ?? 503 });
  }
}

// node:http is there on Node, Bun and Deno alike.
const server = createServer(async (incoming, outgoing) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  const request = new Request(new URL(incoming.url ?? "/", "http://127.0.0.1"), {
    method: incoming.method ?? "GET",
    ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
  });
  const response = await answer(request).catch((error: unknown) => {
    console.error(error);
    return Response.json({ error: "internal error" }, { status: 500 });
  });
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(await response.text());
});

await queue.start();
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  // First no more requests, then no more queue.
  process.once(signal, () => server.close(() => void queue.stop()));
}
