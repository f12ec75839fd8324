// Measures what it costs to get vectors out of a reply: base64 against JSON floats, from the reply's
// text to the float32 bytes that are stored. CPU time, as other programs may run beside it.
// Run: bun scripts/measure-decoding.ts [dimensions] [vectors]

import { Buffer } from "node:buffer";
import { cpuUsage } from "node:process";
import { toVectorBytes } from "../src/model/vector.ts";
import { placeVectors } from "../src/providers/replies.ts";

const dimensions = Number(process.argv[2] ?? 1536);
const count = Number(process.argv[3] ?? 256);
/** Rounds of each kind, in turn, so that both meet the same machine; the fastest of each counts. */
const ROUNDS = 30;

const vectors = Array.from({ length: count }, (_, i) =>
  Float32Array.from({ length: dimensions }, (_, j) => Math.sin(i * 7919 + j * 104_729) / 40),
);

/** As the provider writes it: the shortest digits that give the number back. */
const asFloats = reply((vector) => Array.from(vector));
const asBase64 = reply((vector) => Buffer.from(vector.buffer).toString("base64"));

let floatsMs = Number.POSITIVE_INFINITY;
let base64Ms = Number.POSITIVE_INFINITY;
for (let round = 0; round < ROUNDS; round++) {
  floatsMs = Math.min(floatsMs, cpuMs(asFloats));
  base64Ms = Math.min(base64Ms, cpuMs(asBase64));
}

const perVector = (ms: number) => `${((ms / count) * 1000).toFixed(1)} µs a vector`;
console.log(`${count} vectors of ${dimensions} numbers, best of ${ROUNDS} rounds:`);
console.log(`floats ${perVector(floatsMs)}, ${asFloats.length} bytes of JSON`);
console.log(`base64 ${perVector(base64Ms)}, ${asBase64.length} bytes of JSON`);
console.log(`base64 : floats = 1 : ${(floatsMs / base64Ms).toFixed(1)} in CPU time`);

function reply(embeddingOf: (vector: Float32Array) => unknown): string {
  const data = vectors.map((vector, index) => ({ index, embedding: embeddingOf(vector) }));
  return JSON.stringify({ data });
}

function cpuMs(text: string): number {
  const before = cpuUsage();
  const { data } = JSON.parse(text) as { data: unknown };
  for (const placed of placeVectors(data, count, dimensions)) {
    if (placed instanceof Error) throw placed;
    if (toVectorBytes(placed).length !== dimensions * 4) throw new Error("wrong size");
  }
  const { user, system } = cpuUsage(before);
  return (user + system) / 1000;
}
