// Where items go: into a queue, chunk after chunk in their order, or nowhere but a count.

import { type EmbeddingQueue, EnqueueError, type Ticket } from "../../index.ts";
import type { InputItem } from "./items.ts";

/** Takes the items of one file. */
export interface Sink {
  /** Items that were accepted, from the first on. */
  readonly accepted: number;
  /** The last line of the last item that was accepted; 0 before the first. */
  readonly line: number;
  add(item: InputItem): void;
  /** All that the reader has for now was added: a slow pipe need not fill a chunk. */
  flush(): void;
  /** Resolves when more can be added; rejects where an item could not be enqueued. */
  room(): Promise<void>;
  /** Resolves when everything added is accepted. */
  finish(): Promise<void>;
  /** Resolves when what is under way is through; nothing more is begun. */
  cut(): Promise<void>;
}

/** Items in one call of the queue: larger ones bring nothing, as the queue itself cuts them smaller. */
const MAX_ITEMS = 1000;
/** Characters in one call; a single longer text goes alone. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/** Gets the tickets of accepted items; the next chunk waits for it. */
export type OnAccepted = (tickets: readonly Ticket[]) => Promise<void> | void;

/**
 * Enqueues chunk by chunk. One call at a time: a text that comes later in the input must be the newer
 * one of its key. While it is under way, the next chunk is read.
 */
export class QueueSink implements Sink {
  readonly #queue: EmbeddingQueue;
  readonly #onAccepted: OnAccepted;
  readonly #onFailure: (error: unknown) => void;
  readonly #pending: InputItem[] = [];
  #flight: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isCut = false;
  accepted = 0;
  line = 0;

  /** @param onFailure Called at once, so that nobody goes on reading. */
  constructor(queue: EmbeddingQueue, onAccepted: OnAccepted, onFailure: (error: unknown) => void) {
    this.#queue = queue;
    this.#onAccepted = onAccepted;
    this.#onFailure = onFailure;
  }

  add(item: InputItem): void {
    this.#pending.push(item);
  }

  flush(): void {
    const isBusy = this.#flight !== undefined || this.#pending.length === 0;
    if (isBusy || this.#isCut || this.#failure !== undefined) return;
    this.#flight = this.#send(this.#cutChunk()).then(() => {
      this.#flight = undefined;
      this.flush();
    });
  }

  room(): Promise<void> {
    return this.#until(MAX_ITEMS);
  }

  async finish(): Promise<void> {
    await this.#until(0);
    await this.#flight;
    this.#throwFailure();
  }

  async cut(): Promise<void> {
    this.#isCut = true;
    await this.#flight;
  }

  async #until(pending: number): Promise<void> {
    this.flush();
    while (this.#pending.length > pending && this.#failure === undefined) await this.#flight;
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #cutChunk(): InputItem[] {
    let [count, characters] = [0, 0];
    for (const { text } of this.#pending) {
      characters += text.length;
      if (count === MAX_ITEMS || (count > 0 && characters > MAX_CHARACTERS)) break;
      count++;
    }
    return this.#pending.splice(0, count);
  }

  /** Never rejects. */
  async #send(chunk: readonly InputItem[]): Promise<void> {
    try {
      const tickets = await this.#queue.enqueueMany(chunk);
      this.#accept(chunk, tickets.length);
      await this.#onAccepted(tickets);
    } catch (error) {
      if (error instanceof EnqueueError) this.#accept(chunk, error.tickets.length);
      this.#failure = { error };
      this.#onFailure(error);
    }
  }

  #accept(chunk: readonly InputItem[], count: number): void {
    this.accepted += count;
    this.line = chunk[count - 1]?.endLine ?? this.line;
  }
}

/** Counts, and keeps the first few to show. */
export class DrySink implements Sink {
  readonly #sample: InputItem[];
  readonly #maxSample: number;
  accepted = 0;
  line = 0;

  /** @param sample Filled with the first items. */
  constructor(sample: InputItem[], maxSample: number) {
    this.#sample = sample;
    this.#maxSample = maxSample;
  }

  add(item: InputItem): void {
    this.accepted++;
    this.line = item.endLine;
    if (this.#sample.length < this.#maxSample) this.#sample.push(item);
  }

  flush(): void {
    // Nothing is kept.
  }

  async room(): Promise<void> {
    // There always is.
  }

  async finish(): Promise<void> {
    // It always is.
  }

  async cut(): Promise<void> {
    // Nothing is under way.
  }
}
