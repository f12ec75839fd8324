// A search query as a vector, by the embedder that the options name.

import {
  decodeEmbedding,
  type EmbedFunction,
  type EmbedResult,
  type VectorSpace,
} from "../index.ts";
import { CommandError, UsageError } from "./errors.ts";
import { unlessRaised } from "./pause.ts";
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
  const asked = async () => {
    if (typeof embedder !== "function" && embedder.embedQuery !== undefined) {
      return embedder.embedQuery(text, context);
    }
    const embed = typeof embedder === "function" ? embedder : embedder.embed.bind(embedder);
    // A file of the user's may return anything.
    const reply: Awaited<ReturnType<EmbedFunction>> | undefined | null = await embed(
      [text],
      context,
    );
    return (reply && "results" in reply ? reply.results : reply)?.[0];
  };
  // An embedder need not listen to the signal.
  const vector = vectorOf(await unlessRaised(asked(), context.signal));
  if (own.dimensions === undefined || vector?.length === own.dimensions) return vector;
  throw new CommandError(
    `The embedder must return ${own.dimensions} numbers for the query: there are ${vector.length}`,
  );
}

function vectorOf(result: EmbedResult | undefined | null): Float32Array {
  if (result instanceof Error) throw result;
  if (typeof result !== "object" || result === null) {
    throw new CommandError("The embedder returned no vector for the query");
  }
  const vector = result instanceof Uint8Array ? decodeEmbedding(result) : Float32Array.from(result);
  if (vector.every(Number.isFinite)) return vector;
  throw new CommandError("The embedder returned something else than finite numbers for the query");
}
