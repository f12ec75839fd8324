// A visit to a Redis that may belong to others: names of our own, and no trace afterwards.

import type { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { createClient } from "redis";
import { CommandError, messageOf } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { counted } from "../format.ts";
import type { Passage } from "./corpus.ts";
import type { DemoServer } from "./server.ts";
import { within } from "./within.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** For one command, or one page of them: a Redis that is gone must not keep us. */
const COMMAND_TIMEOUT_MS = 10_000;
/** The same for each step of leaving. */
const LEAVE_TIMEOUT_MS = 5_000;
/** Commands on the wire at once, keys in one command. */
const PAGE = 500;
const FLAGS = "notify-keyspace-events";

type Client = ReturnType<typeof createClient>;

/** What a queue keeps in Redis, as docs/PROTOCOL.md names it. */
const PARTS = [
  "pending",
  "dedup",
  "retries",
  "dead",
  "settings",
  "clock",
  "flush",
  "cooldown",
  "usage",
] as const;

export class Visit {
  /** Also for the queue to use: what it sends is then done before what we send when we leave. */
  readonly client: Client;
  /** Name of the queue. */
  readonly name: string;
  /** Told in words what was removed, or what could not be. */
  readonly #report: (line: string) => void;
  readonly #isShared: boolean;
  /** Ends all that is asked, except while we leave. */
  readonly #signal: AbortSignal;
  /** The notification flags that were found; undefined where Redis does not tell. */
  readonly #flags: string | undefined;
  /** Written by store() before it writes to Redis; read when we leave. */
  #documents = 0;

  private constructor(
    client: Client,
    isShared: boolean,
    flags: string | undefined,
    signal: AbortSignal,
    report: (line: string) => void,
  ) {
    this.client = client;
    this.#isShared = isShared;
    this.#signal = signal;
    this.#flags = flags;
    this.#report = report;
    this.name = `embedq-demo-${randomBytes(6).toString("hex")}`;
  }

  static async begin(
    { url, isShared }: DemoServer,
    signal: AbortSignal,
    report: (line: string) => void,
  ): Promise<Visit> {
    const client = connectable(url);
    try {
      await within(client.connect(), CONNECT_TIMEOUT_MS, "Connecting to Redis", signal);
      const flags = await within(readFlags(client), COMMAND_TIMEOUT_MS, "CONFIG GET", signal);
      return new Visit(client, isShared, flags, signal, report);
    } catch (error) {
      await close(client);
      signal.throwIfAborted();
      throw new CommandError(`Cannot use Redis at ${new URL(url).host}: ${messageOf(error)}`, {
        exitCode: EXIT.unavailable,
        hint: "--redis private starts one for this run, --redis embedded needs none",
      });
    }
  }

  /** A key of the queue. */
  queueKey(part: (typeof PARTS)[number]): string {
    return `{${this.name}}:${part}`;
  }

  /** The destination of a passage. */
  keyOf(index: number): string {
    return `${this.name}:text:${index}`;
  }

  /** Sends one command as it is. */
  ask(...command: string[]): Promise<unknown> {
    return this.#bounded(this.client.sendCommand(command), command[0]);
  }

  /** Stores the passages as an application would: a hash each, to which the queue adds the vector. */
  async store(passages: readonly Passage[]): Promise<void> {
    this.#documents = passages.length;
    for (let at = 0; at < passages.length; at += PAGE) {
      const page = passages.slice(at, at + PAGE).map(({ text, source }, i) => {
        const pairs = ["text", text, "source", source];
        return this.client.sendCommand(["HSET", this.keyOf(at + i), ...pairs]);
      });
      // These are on the wire already: whatever we send when we leave comes after them.
      await this.#bounded(Promise.all(page), "HSET");
    }
  }

  /** Reads fields of every stored hash, in order, as bytes. */
  async readAll(fields: readonly string[]): Promise<Buffer[][]> {
    const rows: Buffer[][] = [];
    for (let at = 0; at < this.#documents; at += PAGE) {
      const length = Math.min(PAGE, this.#documents - at);
      const page = Array.from({ length }, (_, i) => {
        const command = ["HMGET", this.keyOf(at + i), ...fields];
        return this.client.sendCommand<Buffer[]>(command, { returnBuffers: true });
      });
      rows.push(...(await this.#bounded(Promise.all(page), "HMGET")));
    }
    return rows;
  }

  /** Removes all that is ours, sets the flags back, disconnects. A server of our own just ends. */
  async leave(): Promise<void> {
    try {
      if (!this.#isShared) return;
      const queue = await this.#remove(PARTS.map((part) => this.queueKey(part)));
      const keys = Array.from({ length: this.#documents }, (_, i) => this.keyOf(i));
      const hashes = await this.#remove(keys);
      const flags = await within(this.#restoreFlags(), LEAVE_TIMEOUT_MS, "Restoring the flags");
      this.#report(
        `the workers have ended; ${queue} keys of the queue and ${counted(hashes)} hashes removed; ${flags}`,
      );
    } catch (error) {
      this.#report(
        `Redis may still hold keys with ${this.name} in their names: ${messageOf(error)}`,
      );
    } finally {
      await close(this.client);
    }
  }

  #bounded<T>(reply: Promise<T>, what = "A command"): Promise<T> {
    return within(reply, COMMAND_TIMEOUT_MS, what, this.#signal);
  }

  async #remove(keys: readonly string[]): Promise<number> {
    let removed = 0;
    for (let at = 0; at < keys.length; at += PAGE) {
      const reply = this.client.sendCommand(["UNLINK", ...keys.slice(at, at + PAGE)]);
      removed += Number(await within(reply, LEAVE_TIMEOUT_MS, "Removing keys"));
    }
    return removed;
  }

  /** Last, so that a flag that the queue was about to set when it stopped is seen. */
  async #restoreFlags(): Promise<string> {
    if (this.#flags === undefined) return "notification flags were not ours to read";
    if ((await readFlags(this.client)) === this.#flags) return "notification flags as before";
    await this.client.sendCommand(["CONFIG", "SET", FLAGS, this.#flags]);
    return `notification flags set back to "${this.#flags}"`;
  }
}

function connectable(url: string): Client {
  let wasReady = false;
  const client = createClient({
    url,
    // The first connect fails at once, a later one is tried again.
    socket: { reconnectStrategy: (retries) => wasReady && Math.min(500, 50 * retries) },
  });
  client.on("ready", () => {
    wasReady = true;
  });
  // The command that is under way, or the next one, has the error too.
  client.on("error", () => {});
  return client;
}

async function close(client: Client): Promise<void> {
  if (client.isOpen) await client.disconnect();
}

/** Undefined where this user may not ask. */
async function readFlags(client: Client): Promise<string | undefined> {
  try {
    const reply = await client.sendCommand<string[]>(["CONFIG", "GET", FLAGS]);
    return reply[1];
  } catch {
    return undefined;
  }
}
