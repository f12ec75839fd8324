// Every error that leaves embedq, with its code. Messages name the action that failed, the
// value found and the value wanted; they never carry credentials or texts.

/** The code of an {@link EmbedqError}: stable across versions, safe to branch on. */
export type ErrorCode =
  | "ERR_OPTION_INVALID"
  | "ERR_INPUT_INVALID"
  | "ERR_NOT_STARTED"
  | "ERR_STOPPED"
  | "ERR_SETTINGS_CONFLICT"
  | "ERR_SETTINGS_BUSY"
  | "ERR_QUEUE_MISSING"
  | "ERR_PROTOCOL_NEWER"
  | "ERR_REDIS_UNAVAILABLE"
  | "ERR_REDIS_REPLY"
  | "ERR_ENQUEUE_FAILED"
  | "ERR_WALK_FAILED"
  | "ERR_WAIT_TIMEOUT"
  | "ERR_EMBEDDING_GONE"
  | "ERR_EMBEDDING_UNSET"
  | "ERR_EMBEDDING_CORRUPT"
  | "ERR_EMBEDDER_CONTRACT"
  | "ERR_EMBEDDER";

/**
 * Lets `instanceof` know the class's errors also where another copy of embedq made them: a file with an
 * embedder imports the copy beside it, the command line may be another.
 */
function brand(theClass: { prototype: object }, name: string): void {
  const mark = Symbol.for(`embedq:${name}`);
  Object.defineProperty(theClass.prototype, mark, { value: true });
  Object.defineProperty(theClass, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      // What users derive from the class is known as any class is.
      if (this !== theClass) return Function.prototype[Symbol.hasInstance].call(this, value);
      return typeof value === "object" && value !== null && mark in value;
    },
  });
}

/**
 * The base of all errors thrown by embedq. Branch on `code`, read `message`, follow `cause`.
 *
 * @example
 * ```ts
 * import { EmbedqError } from "embedq";
 *
 * export function isTimeout(error: unknown): boolean {
 *   return error instanceof EmbedqError && error.code === "ERR_WAIT_TIMEOUT";
 * }
 * ```
 */
export class EmbedqError extends Error {
  static {
    brand(EmbedqError, "EmbedqError");
  }

  /** What went wrong, as a stable word. */
  readonly code: ErrorCode;

  /**
   * An error of embedq.
   *
   * @param code What went wrong, as a stable word.
   * @param message A sentence for people.
   * @param options The error that caused this one, if any.
   */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EmbedqError";
    this.code = code;
  }
}

/**
 * What kind of failure an embedder reports, which decides what happens to the texts:
 *
 * - `rejected`: the provider refuses this input for good. The batch is split until the refused
 *   text stands alone; that text becomes a dead letter, the others are embedded.
 * - `rateLimited`: too many calls. All workers of the queue pause; no attempt is spent.
 * - `unavailable`: the provider is down, overloaded or out of reach. As `rateLimited`.
 * - `fatal`: no call can succeed until somebody acts. With scope `worker` (wrong key, unknown
 *   model) that worker pauses and tries again by itself; with scope `account` (no credit) all pause.
 */
export type EmbedderErrorKind = "rejected" | "rateLimited" | "unavailable" | "fatal";

const KINDS: readonly EmbedderErrorKind[] = ["rejected", "rateLimited", "unavailable", "fatal"];

/** Details of an {@link EmbedderError}. */
export interface EmbedderErrorOptions extends ErrorOptions {
  /** For `rateLimited`, `unavailable` and `fatal`: when a new call makes sense, in milliseconds from now. */
  readonly retryAfterMs?: number | undefined;
  /** For `fatal`: whom it concerns. @default "worker" */
  readonly scope?: "worker" | "account" | undefined;
  /** For `rejected`: the call as a whole was too large, counted in this, and no text of it is at fault; or one `text` is too long. */
  readonly exceeded?: CallMeasure | "text" | undefined;
}

/** Why a call is not made, or cut off, when the worker stops. */
export function stoppedError(): EmbedderError {
  return new EmbedderError("unavailable", "The worker stops");
}

/** What a provider call can have too much of. */
export type CallMeasure = "items" | "tokens" | "bytes";

/**
 * An error that an embedder throws, or returns in the place of one vector, to say what kind it is.
 * Any other error counts as an outage if it looks like one (network errors and the HTTP statuses
 * 408, 409, 425, 429 and 5xx), and otherwise as a failed attempt.
 *
 * @example
 * ```ts
 * import { EmbedderError } from "embedq";
 *
 * export function busy(seconds: number): EmbedderError {
 *   return new EmbedderError("rateLimited", "Too many requests", { retryAfterMs: seconds * 1000 });
 * }
 * ```
 */
export class EmbedderError extends EmbedqError {
  static {
    brand(EmbedderError, "EmbedderError");
  }

  /** Which kind of failure this is. */
  readonly kind: EmbedderErrorKind;
  /** When a new call makes sense, in milliseconds from now; undefined where nobody knows. */
  readonly retryAfterMs: number | undefined;
  /** For `fatal`: whom it concerns. */
  readonly scope: "worker" | "account";
  /** For `rejected`: what the call as a whole had too much of, or `text` where one is too long; undefined where a text is at fault otherwise. */
  readonly exceeded: CallMeasure | "text" | undefined;

  /**
   * A failure whose kind is known.
   *
   * @param kind Which kind of failure this is.
   * @param message A sentence for people; it is kept in the dead letter of a rejected text.
   * @param options When to retry, whom it concerns, and the cause.
   * @throws {EmbedqError} `ERR_INPUT_INVALID` for another kind.
   */
  constructor(kind: EmbedderErrorKind, message: string, options: EmbedderErrorOptions = {}) {
    if (!KINDS.includes(kind)) {
      const wanted = KINDS.map((one) => `"${one}"`).join(", ");
      throw new EmbedqError(
        "ERR_INPUT_INVALID",
        `Cannot make an EmbedderError as its kind must be one of ${wanted}: it is ${JSON.stringify(kind)}. Its message was: ${message}`,
      );
    }
    super("ERR_EMBEDDER", message, options);
    this.name = "EmbedderError";
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
    this.scope = options.scope ?? "worker";
    this.exceeded = options.exceeded;
  }
}

/**
 * An `enqueueMany` that failed on its way. What was accepted before stays accepted; `tickets` holds
 * it, for the first items in order. Enqueuing everything again is safe: equal texts give equal tickets.
 *
 * @example
 * ```ts
 * import { EnqueueError } from "embedq";
 *
 * export function acceptedBefore(error: unknown): number {
 *   return error instanceof EnqueueError ? error.tickets.length : 0;
 * }
 * ```
 */
export class EnqueueError extends EmbedqError {
  /** Tickets of the items that were accepted, from the first on. */
  readonly tickets: readonly { readonly key: string; readonly version: number }[];

  /**
   * A failure in the middle.
   *
   * @param count How many items there were.
   * @param tickets Tickets of those that were accepted.
   * @param cause What went wrong.
   */
  constructor(
    count: number,
    tickets: readonly { readonly key: string; readonly version: number }[],
    cause: unknown,
  ) {
    const message = `Cannot enqueue all ${count} items as it failed after ${tickets.length}: ${messageOf(cause)}`;
    super("ERR_ENQUEUE_FAILED", message, { cause });
    this.name = "EnqueueError";
    this.tickets = tickets;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  try {
    // Some client libraries put an object there.
    return String(error instanceof Error ? error.message : error);
  } catch {
    // Anything can be thrown, also what has no text.
    return Object.prototype.toString.call(error);
  }
}

/** An unknown thrown value as an Error, unchanged where it is one. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error));
}
