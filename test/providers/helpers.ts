// Small things that the tests of providers share.

import { expect } from "bun:test";
import type { EmbeddingQueue, EmbedResult } from "../../src/index.ts";
import { EmbedderError, type EmbedqError } from "../../src/index.ts";
import { toVectorBytes } from "../../src/model/vector.ts";
import { items, type Scope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { bytesOf, EDGES, numbersOf } from "./servers/numbers.ts";

/** The bytes of a result that must be a vector. */
export function bytesIn(result: EmbedResult | undefined): Uint8Array {
  if (result === undefined || result instanceof Error) throw result ?? new Error("no result");
  return new Uint8Array(toVectorBytes(result));
}

/** What a function throws; it must throw. */
export function optionError(make: () => unknown): EmbedqError {
  try {
    make();
  } catch (error) {
    return error as EmbedqError;
  }
  throw new Error("expected an error");
}

/** What an embedder throws, as an EmbedderError. */
export async function refusal(promise: Promise<unknown>): Promise<EmbedderError> {
  const error = await promise.then(
    () => new Error("expected a refusal"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof EmbedderError) return error;
  throw error;
}

/** Texts of unlike lengths, with what UTF-8 and JSON make longer. */
export function texts(count: number): string[] {
  const kinds = ["plain", 'Żółć "quoted"', "北京\n\ttab", "emoji 😀", "back\\slash \u0001"];
  return Array.from({ length: count }, (_, i) => `${kinds[i % kinds.length]} ${i}`);
}

/** Of eight texts through a queue, the poisoned fourth is dead with the provider's words, and the others are stored to the bit. */
export async function expectFourthDead(scope: Scope, queue: EmbeddingQueue): Promise<void> {
  const tickets = await queue.enqueueMany(items(8));
  const outcomes = await Promise.all(tickets.map((ticket) => ticket.outcome()));
  expect(outcomes.filter(({ status }) => status === "embedded")).toHaveLength(7);
  const letter = await until(async () => (await queue.deadLetters())[0], {
    what: "the dead letter",
  });
  expect(letter).toMatchObject({ key: "doc:3" });
  expect(letter?.reason).toContain("cannot be embedded");
  const { bytes } = await scope.destination("doc:5");
  const wanted = bytesOf(numbersOf("doc text 5", 1536, EDGES));
  expect(Buffer.from(bytes as unknown as Buffer).equals(wanted)).toBe(true);
}
