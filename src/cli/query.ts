// A search query as a vector, by the embedder that the options name.

import { decodeEmbedding, type EmbedResult, type VectorSpace } from "../index.ts";
import { CommandError, UsageError } from "./errors.ts";
import type { EmbedderOptions } from "./provider.ts";

const CALL_TIMEOUT_MS = 60_000;

/**
 * @param space What the queue's vectors are of: of another model, a query would find nothing sensible.
 * @throws {UsageError} Where the embedder is of another model.
 */
export async function embedQuery(
  options: EmbedderOptions,
  space: VectorSpace | undefined,
  text: string,
  signal: AbortSignal,
): Promise<Float32Array> {
  const { embedder } = options;
  const own = typeof embedder === "function" ? options : { ...options, ...embedder };
  for (const name of ["model", "dimensions"] as const) {
    if (space === undefined || space[name] === own[name]) continue;
    throw new UsageError(
      `The ${name} of the query must be that of the queue, ${space[name]}: it is ${own[name]}`,
    );
  }
  const context = { signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]) };
  if (typeof embedder !== "function" && embedder.embedQuery !== undefined) {
    return vectorOf(await embedder.embedQuery(text, context));
  }
  const embed = typeof embedder === "function" ? embedder : embedder.embed.bind(embedder);
  const reply = await embed([text], context);
  const [result] = "results" in reply ? reply.results : reply;
  return vectorOf(result);
}

function vectorOf(result: EmbedResult | undefined): Float32Array {
  if (result instanceof Error) throw result;
  if (result === undefined) throw new CommandError("The embedder returned no vector for the query");
  return result instanceof Uint8Array ? decodeEmbedding(result) : Float32Array.from(result);
}
