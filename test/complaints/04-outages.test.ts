// Complaint 4: a provider that is away or refuses for a while must cost nothing but time.

import { expect, test } from "bun:test";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { EmbedFunction } from "../../src/index.ts";
import { vectorOf } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

/** A provider on loopback that can be away, and counts its requests. */
async function startProvider() {
  const state = { status: 200, headers: {} as Record<string, string> };
  /** When each refused request came. */
  const refusedAt: number[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      if (state.status !== 200) refusedAt.push(performance.now());
      response.writeHead(state.status, { "content-type": "application/json", ...state.headers });
      const texts = JSON.parse(body) as string[];
      response.end(
        state.status === 200
          ? JSON.stringify(texts.map((text) => [...vectorOf(text, 4)]))
          : JSON.stringify({ error: { message: "later" } }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const embed: EmbedFunction = async (texts, { signal }) => {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      body: JSON.stringify(texts),
      signal,
    });
    if (!response.ok) {
      const { status, headers } = response;
      throw Object.assign(new Error(`HTTP ${status}`), { status, headers });
    }
    return (await response.json()) as number[][];
  };
  return {
    state,
    refusedAt,
    embed,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const troubles: [string, number, Record<string, string>][] = [
  ["503", 503, {}],
  ["429 without a time", 429, {}],
  ["429 with Retry-After-Ms", 429, { "retry-after-ms": "150" }],
];

test.each(troubles)(
  "complaint 4: an outage of %s costs no attempt, one call a cool-down for all workers, and ends by itself",
  async (_, status, headers) => {
    await using scope = await testScope();
    await using provider = await startProvider();
    const model = { model: "fake-1", dimensions: 4, embedder: provider.embed };
    const cooldown = { baseMs: 100, maxMs: 200 };
    const workers = await Promise.all(
      [1, 2, 3].map(() => scope.worker({ ...model, concurrency: 2, cooldown })),
    );
    const started = workers.map((worker) => heard(worker, "cooldown:started"));
    const retried = workers.map((worker) => heard(worker, "text:retried"));
    const dead = workers.map((worker) => heard(worker, "text:dead"));
    const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
    const before = await producer.enqueueMany(items(200, "before"));
    for (const ticket of before) expect((await ticket.outcome()).status).toBe("embedded");

    Object.assign(provider.state, { status, headers });
    const tickets = await producer.enqueueMany(items(1000));
    await until(() => started.flat().length >= 8, {
      what: "several cool-downs",
      timeoutMs: 15_000,
    });
    await until(async () => (await producer.stats()).cooldownMs > 0, { what: "a pause to be on" });
    expect(await scope.client.hLen(scope.keys.retries)).toBe(0);
    const cooldowns = started.flat().length;
    // Six calls may be under way when it begins. From then on each refusal is followed by a pause
    // of at least 100 ms less the jitter of a fifth, in which no worker calls.
    const gaps = provider.refusedAt.slice(1).map((at, i) => at - (provider.refusedAt[i] ?? 0));
    expect(gaps.filter((gap) => gap < 79).length).toBeLessThanOrEqual(5);
    Object.assign(provider.state, { status: 200, headers: {} });
    const outcomes = await Promise.all(
      tickets.map((ticket) => ticket.outcome({ timeoutMs: 20_000 })),
    );
    expect(outcomes.every((outcome) => outcome.status === "embedded")).toBe(true);
    // Two more at most: one whose refusal was under way, and one that began with it.
    expect(started.flat().length - cooldowns).toBeLessThanOrEqual(2);
    expect(retried.flat()).toEqual([]);
    expect(dead.flat()).toEqual([]);
    expect(await producer.deadLetters()).toEqual([]);
    expect(await scope.client.hLen(scope.keys.retries)).toBe(0);
    await scope.untilEmpty();
  },
  60_000,
);
