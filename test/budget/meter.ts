// A provider on loopback that counts what it is asked for in every sliding window.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { estimateTokens } from "../../src/model/embedder.ts";
import { vectorOf } from "../helpers/embedder.ts";

/** One request as the provider saw it. */
export interface Arrival {
  readonly atMs: number;
  readonly requests: number;
  readonly tokens: number;
}

export interface Meter extends AsyncDisposable {
  readonly url: string;
  readonly arrivals: readonly Arrival[];
}

/** @param costOf How many requests a call of so many texts counts for. */
export async function startMeter(costOf: (items: number) => number = () => 1): Promise<Meter> {
  const arrivals: Arrival[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const texts = JSON.parse(Buffer.concat(chunks).toString()) as string[];
      const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0);
      arrivals.push({ atMs: performance.now(), requests: costOf(texts.length), tokens });
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(texts.map((text) => [...vectorOf(text, 4)])));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    arrivals,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** The most of one measure in any window of this length. */
export function peakOf(
  arrivals: readonly Arrival[],
  windowMs: number,
  measure: "requests" | "tokens",
): number {
  let peak = 0;
  let sum = 0;
  let first = 0;
  for (const arrival of arrivals) {
    sum += arrival[measure];
    while ((arrivals[first] as Arrival).atMs <= arrival.atMs - windowMs) {
      sum -= (arrivals[first] as Arrival)[measure];
      first++;
    }
    peak = Math.max(peak, sum);
  }
  return peak;
}

/** How much was used of the second window and those after it, as a share of what they allowed. */
export function useOf(
  arrivals: readonly Arrival[],
  windowMs: number,
  measure: "requests" | "tokens",
  limit: number,
): number {
  const from = (arrivals[0]?.atMs ?? 0) + windowMs;
  const until = arrivals.at(-1)?.atMs ?? 0;
  const windows = Math.floor((until - from) / windowMs);
  const counted = arrivals.filter(({ atMs }) => atMs >= from && atMs < from + windows * windowMs);
  return counted.reduce((sum, arrival) => sum + arrival[measure], 0) / (windows * limit);
}
