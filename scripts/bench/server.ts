// A provider over HTTP on loopback, with OpenAI's format. Every vector is written out once, beforehand.

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Vectors } from "./items.ts";

interface Request {
  readonly input: readonly string[];
  readonly encoding_format?: string;
}

export async function serveEmbeddings(
  vectors: Vectors,
): Promise<{ url: string; close(): Promise<void> }> {
  const written = {
    float: new Map<Float32Array, string>(),
    base64: new Map<Float32Array, string>(),
  };
  const write = (text: string, format: "float" | "base64"): string => {
    const vector = vectors.of(text);
    const known = written[format].get(vector);
    if (known !== undefined) return known;
    const value =
      format === "float"
        ? JSON.stringify(Array.from(vector))
        : JSON.stringify(vectors.bytesOf(text).toString("base64"));
    written[format].set(vector, value);
    return value;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { input, encoding_format: format } = JSON.parse(await bodyOf(request)) as Request;
    const data = input.map(
      (text, index) =>
        `{"object":"embedding","index":${index},"embedding":${write(text, format === "base64" ? "base64" : "float")}}`,
    );
    response.setHeader("content-type", "application/json");
    response.end(
      `{"object":"list","data":[${data.join()}],"model":"bench","usage":{"prompt_tokens":${input.length * 50},"total_tokens":${input.length * 50}}}`,
    );
  };
  const server = createServer((request, response) => {
    // A request that is cut has nobody to be told.
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
