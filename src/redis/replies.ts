// Reading replies. Ours come as text, numbers, bytes or lists; anything else is a broken reply.

import { EmbedqError } from "../model/errors.ts";

/** A reply as node-redis hands it over when no command of its own interprets it. */
export type Reply = string | number | Uint8Array | null | readonly Reply[];

// A byte order mark is part of a key or a text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function asList(reply: Reply | undefined): readonly Reply[] {
  if (Array.isArray(reply)) return reply as readonly Reply[];
  throw broken("a list", reply);
}

export function asText(reply: Reply | undefined): string {
  if (typeof reply === "string") return reply;
  if (reply instanceof Uint8Array) return decoder.decode(reply);
  throw broken("text", reply);
}

export function asNumber(reply: Reply | undefined): number {
  if (typeof reply === "number") return reply;
  const text = asText(reply);
  if (text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  throw broken("a number", reply);
}

export function asBytes(reply: Reply | undefined): Uint8Array {
  if (reply instanceof Uint8Array) return reply;
  throw broken("bytes", reply);
}

/** A list of which every element is text. */
export function asFlatStrings(reply: Reply | undefined): string[] {
  return asList(reply).map(asText);
}

function broken(wanted: string, reply: Reply | undefined): EmbedqError {
  const found = reply === null ? "nil" : Array.isArray(reply) ? "a list" : typeof reply;
  return new EmbedqError(
    "ERR_REDIS_REPLY",
    `Cannot read the reply of Redis as it must be ${wanted}: it is ${found}`,
  );
}
