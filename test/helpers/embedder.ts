// A provider that needs no network: the vector follows from the text, and the test decides what
// each call does and when it ends.

import type { EmbedContext, Embedder, EmbedderLimits, EmbedResult } from "../../src/index.ts";

/** What one call does with its texts: answer, or throw. */
export type Behaviour = (
  texts: readonly string[],
  context: EmbedContext,
) => readonly EmbedResult[] | Promise<readonly EmbedResult[]>;

/** What is sent to find out whether a provider works at all. */
export const HARMLESS = "hello";

export interface FakeOptions {
  /** @default "fake-1" */
  readonly model?: string;
  /** @default 4 */
  readonly dimensions?: number;
  readonly task?: string;
  readonly limits?: EmbedderLimits;
}

export class FakeEmbedder implements Embedder {
  readonly model: string;
  readonly dimensions: number;
  readonly task?: string;
  readonly limits?: EmbedderLimits;
  /** The texts of every call, in the order that the calls began. */
  readonly calls: (readonly string[])[] = [];
  /** Calls that are under way, and the most that ever were. */
  active = 0;
  peak = 0;
  #gate: Promise<void> | undefined;
  #open: (() => void) | undefined;
  readonly #script: Behaviour[] = [];
  #usual: Behaviour;

  constructor({ model = "fake-1", dimensions = 4, task, limits }: FakeOptions = {}) {
    this.model = model;
    this.dimensions = dimensions;
    if (task !== undefined) this.task = task;
    if (limits !== undefined) this.limits = limits;
    this.#usual = (texts) => this.answer(texts);
  }

  async embed(texts: readonly string[], context: EmbedContext): Promise<readonly EmbedResult[]> {
    this.calls.push([...texts]);
    this.active++;
    this.peak = Math.max(this.peak, this.active);
    const behave = this.#script.shift() ?? this.#usual;
    try {
      await this.#gate;
      return await behave(texts, context);
    } finally {
      this.active--;
    }
  }

  /** The right answer. */
  answer(texts: readonly string[]): Float32Array[] {
    return texts.map((text) => this.vectorOf(text));
  }

  vectorOf(text: string): Float32Array {
    return vectorOf(text, this.dimensions);
  }

  /** Every text that was ever sent, call by call. */
  get texts(): string[] {
    return this.calls.flat();
  }

  get batchSizes(): number[] {
    return this.calls.map(({ length }) => length);
  }

  /** Calls that begin from now on stay open until `release`. */
  hold(): void {
    this.#gate ??= new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  release(): void {
    this.#open?.();
    this.#gate = undefined;
    this.#open = undefined;
  }

  /** The next calls do this, one each. */
  next(...behaviours: readonly Behaviour[]): this {
    this.#script.push(...behaviours);
    return this;
  }

  /** Calls that have nothing else to do do this; without an argument they answer rightly again. */
  always(behaviour: Behaviour = (texts) => this.answer(texts)): this {
    this.#usual = behaviour;
    return this;
  }
}

/** A behaviour that throws. */
export function throwing(error: unknown): Behaviour {
  return () => {
    throw error;
  };
}

/** A behaviour that throws for all texts but the harmless one, by which a provider is told from bad texts. */
export function throwingForTexts(error: () => unknown, dimensions = 4): Behaviour {
  return (texts) => {
    if (texts.includes(HARMLESS)) return texts.map((text) => vectorOf(text, dimensions));
    throw error();
  };
}

/** An error as client libraries of HTTP throw it. */
export function httpError(status: number): Error {
  return Object.assign(new Error(`HTTP ${status}`), { status });
}

/** Numbers that follow from the text, each exact in float32. */
export function vectorOf(text: string, dimensions: number): Float32Array {
  let seed = 2166136261;
  for (let at = 0; at < text.length; at++) {
    seed = Math.imul(seed ^ text.charCodeAt(at), 16777619) >>> 0;
  }
  return Float32Array.from({ length: dimensions }, (_, i) => {
    seed = Math.imul(seed ^ i, 16777619) >>> 0;
    return (seed % 2001) / 1000 - 1;
  });
}
