// What a user's project may look like: compiled against the installed package, never run. A string, as
// the package is not there when the tests are compiled.

export const CONSUMER = `import { EmbeddingQueue, type EmbedqError, type Outcome, VERSION } from "embedq";
import { hashing, openAI } from "embedq/providers";

export async function use(stop: AbortSignal): Promise<Outcome[]> {
  const queue = new EmbeddingQueue({
    redis: "redis://127.0.0.1:6379",
    name: "of " + VERSION,
    embedder: stop.aborted ? hashing() : openAI({ model: "text-embedding-3-small" }),
  });
  queue.on("worker:failed", ({ error }) => report(error));
  await queue.start();
  const tickets = await queue.enqueueMany([{ key: "doc:1", text: "One" }], { signal: stop });
  return Promise.all(tickets.map((ticket) => ticket.outcome()));
}

function report(error: Error | EmbedqError): void {
  throw error;
}
`;
