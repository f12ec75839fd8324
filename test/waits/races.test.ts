// Subscribing and unsubscribing cross each other in every way. Afterwards Redis holds exactly what
// is waited for, and every wait that is left still hears.

import { expect, test } from "bun:test";
import type { Ticket } from "../../src/index.ts";
import { vectorOf } from "../helpers/embedder.ts";
import { items, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { heardKeys, killSubscribers, untilHeard } from "./pubsub.ts";

const KEYS = 12;
const ROUNDS = 60;
const STEPS = 25;
/** EMBEDQ_SEED repeats a run. */
const FIRST_SEED = Number(process.env["EMBEDQ_SEED"] ?? Math.floor(Math.random() * 1e9));

for (let n = 0; n < 4; n++) {
  const seed = FIRST_SEED + n;
  const kills = n % 2 === 1;
  test(`waits that come and go ${kills ? "while the subscriber is killed " : ""}leave what is waited for: seed ${seed}`, async () => {
    await using scope = await testScope();
    const queue = await scope.queue();
    const tickets = await queue.enqueueMany(items(KEYS));
    const random = randomFrom(seed);
    const open = new Set<Wait>();
    for (let round = 0; round < ROUNDS; round++) {
      for (let step = 0; step < STEPS; step++) {
        const dice = random();
        if (dice < 0.5) open.add(begin(tickets[Math.floor(random() * KEYS)] as Ticket));
        else end([...open][Math.floor(random() * open.size)], open);
        // Now and then all end at once, and what begins next meets their unsubscribing.
        if (dice > 0.95) for (const wait of [...open]) end(wait, open);
        if (kills && random() < 0.01) await killSubscribers(scope);
        await someTurns(Math.floor(random() * 4));
      }
      await expectHeard(scope, open);
    }

    // Every wait that is left hears its own event.
    for (const [i, ticket] of tickets.entries()) await finishByHand(scope, ticket, i);
    for (const { ticket, vector } of open) {
      const i = tickets.indexOf(ticket);
      expect(await vector).toEqual(vectorOf(`vector ${i}`, 4));
    }
    await untilHeard(scope, 0);
  }, 30_000);
}

interface Wait {
  readonly ticket: Ticket;
  readonly vector: Promise<Float32Array>;
  readonly abort: AbortController;
}

function begin(ticket: Ticket): Wait {
  const abort = new AbortController();
  // Far shorter than the timer that would look anyway.
  const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(20_000)]);
  const vector = ticket.embedding({ signal });
  vector.catch(() => {});
  return { ticket, vector, abort };
}

function end(wait: Wait | undefined, open: Set<Wait>): void {
  if (wait === undefined) return;
  wait.abort.abort();
  open.delete(wait);
}

async function expectHeard(scope: Scope, open: ReadonlySet<Wait>): Promise<void> {
  const wanted = [...new Set([...open].map(({ ticket }) => ticket.key))].sort();
  await until(async () => (await heardKeys(scope)).sort().join() === wanted.join(), {
    what: `the channels of ${wanted.join()}`,
  });
}

async function finishByHand({ client }: Scope, ticket: Ticket, i: number): Promise<void> {
  const embedding = Buffer.from(vectorOf(`vector ${i}`, 4).buffer);
  const fields = ["embedding_status", "embedded", "embedding_version", String(ticket.version)];
  await client.sendCommand(["HSET", ticket.key, ...fields, "embedding", embedding]);
}

async function someTurns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

/** mulberry32: small and good enough to shuffle. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
