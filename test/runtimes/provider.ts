// An embedding provider over HTTP on loopback that counts what it is asked.

import { vectorOf } from "../helpers/embedder.ts";

export interface Provider extends AsyncDisposable {
  readonly url: string;
  /** How often each text came. */
  readonly texts: ReadonlyMap<string, number>;
  /** How many texts each worker sent. */
  readonly shares: ReadonlyMap<string, number>;
  /** Texts in each call. */
  readonly batches: readonly number[];
}

/** @param latencyMs How long each call takes, so that no worker can do everything alone. */
export function startProvider(dimensions: number, latencyMs: number): Provider {
  const counts = new Map<string, number>();
  const shares = new Map<string, number>();
  const batches: number[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { worker, texts } = (await request.json()) as { worker: string; texts: string[] };
      batches.push(texts.length);
      shares.set(worker, (shares.get(worker) ?? 0) + texts.length);
      for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
      await Bun.sleep(latencyMs);
      return Response.json(texts.map((text) => [...vectorOf(text, dimensions)]));
    },
  });
  return {
    url: server.url.href,
    texts: counts,
    shares,
    batches,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
