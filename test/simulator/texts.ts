// The texts of a schedule, what the provider makes of each, and the bytes that stand for them.

import { sourceDigest } from "../../src/model/digest.ts";
import type { VectorSpace } from "../../src/model/settings.ts";

/** Two numbers a vector: eight bytes are enough to carry the name of a text. */
export const SPACE: VectorSpace = { model: "simulated", dimensions: 2, task: "" };

/** How the wait for a text may end while nothing newer is written. */
export type Fate = "embedded" | "blank" | "dead";

/**
 * - `bad` fails each time, an attempt a time
 * - `refused` is rejected at once
 * - `flaky` fails or not, by chance
 * - `killer` ends the process that embeds it (killer mode only)
 */
export const TEXTS = ["T1", "T2", "T3", "", "bad", "refused", "flaky"] as const;
export const KILLER = "killer";

const FATES: Readonly<Record<string, readonly Fate[]>> = {
  "": ["blank"],
  bad: ["dead"],
  refused: ["dead"],
  flaky: ["embedded", "dead"],
  killer: ["dead"],
};

export function fatesOf(text: string): readonly Fate[] {
  return FATES[text] ?? ["embedded"];
}

/** Whether a text that became a dead letter deserved it. */
export function mayDie(text: string): boolean {
  return fatesOf(text).includes("dead");
}

/** The vector of a text: its name, readable in a snapshot. As floats these bytes are finite. */
export function vectorOf(text: string): Uint8Array {
  return new TextEncoder().encode(vectorName(text));
}

export function vectorName(text: string): string {
  return text.padEnd(8, ".").slice(0, 8);
}

export const ZERO_VECTOR_NAME = "\0".repeat(8);

const textsByDigest = new Map([...TEXTS, KILLER].map((text) => [digestOf(text), text]));

export function digestOf(text: string): string {
  return sourceDigest(SPACE, text);
}

/** The text that a stored digest stands for. */
export function textOfDigest(digest: string): string | undefined {
  return textsByDigest.get(digest);
}
