// A provider that is away delays work and costs no attempts; one call tries whether it is back.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/index.ts";
import { FakeEmbedder, httpError, throwing } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

function networkError(): Error {
  const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  return new TypeError("fetch failed", { cause });
}

const OUTAGES: [string, () => unknown][] = [
  ["HTTP 503", () => httpError(503)],
  ["HTTP 429", () => httpError(429)],
  ["HTTP 408 on a response", () => Object.assign(new Error("late"), { response: { status: 408 } })],
  ["HTTP 409 as statusCode", () => Object.assign(new Error("busy"), { statusCode: 409 })],
  ["HTTP 425", () => httpError(425)],
  ["a refused connection", networkError],
  ["a reset connection", () => Object.assign(new Error("reset"), { code: "ECONNRESET" })],
  ["rateLimited", () => new EmbedderError("rateLimited", "slow down", { retryAfterMs: 60 })],
  ["unavailable", () => new EmbedderError("unavailable", "down")],
  [
    "fatal for the account",
    () => new EmbedderError("fatal", "no credit", { scope: "account", retryAfterMs: 60 }),
  ],
  ["fatal for the worker", () => new EmbedderError("fatal", "wrong key", { retryAfterMs: 60 })],
];
test.each(OUTAGES)(
  "%s thrown five times costs no attempt, and work goes on by itself",
  async (_, error) => {
    await using scope = await testScope();
    const embedder = new FakeEmbedder();
    embedder.next(...Array.from({ length: 5 }, () => throwing(error())));
    const queue = await scope.queue({
      embedder: (texts, context) => embedder.embed(texts, context),
      model: "fn",
      dimensions: 4,
      cooldown: { baseMs: 20, maxMs: 40 },
    });
    const retried = heard(queue, "text:retried");
    const deferred = heard(queue, "text:deferred");
    const tickets = await queue.enqueueMany(items(3));
    await queue.flushNow();
    const vectors = await Promise.all(
      tickets.map((ticket) => ticket.embedding({ timeoutMs: 10_000 })),
    );
    expect(vectors).toEqual(items(3).map(({ text }) => embedder.vectorOf(text)));
    await scope.untilEmpty();
    // Then each of the three texts at most once alone, after a harmless one.
    expect(embedder.calls.length).toBeLessThanOrEqual(5 + 2 * 3);
    expect(retried).toEqual([]);
    expect(deferred.length).toBeGreaterThanOrEqual(5);
    expect(await queue.deadLetters()).toEqual([]);
  },
);

test("an outage reported for one text of a batch defers it alone", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.next((texts) =>
    texts.map((text) => (text === "doc text 1" ? httpError(503) : embedder.vectorOf(text))),
  );
  const queue = await scope.queue({ embedder });
  const deferred = heard(queue, "text:deferred");
  await queue.enqueueMany(items(3));
  expect((await queue.flushAndWait()).done).toBe(true);
  expect(deferred.map(({ key }) => key)).toEqual(["doc:1"]);
  expect(embedder.calls[1]).toEqual(["doc text 1"]);
  await scope.expectEmpty();
});

test("while a provider is away nothing calls it, and afterwards one call tries it first", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.next(throwing(new EmbedderError("rateLimited", "wait", { retryAfterMs: 400 })));
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  const workers = [await scope.worker({ embedder }), await scope.worker({ embedder })];
  const started = workers.map((worker) => heard(worker, "cooldown:started"));
  const ended = workers.map((worker) => heard(worker, "cooldown:ended"));
  await producer.enqueueMany(items(50));
  await until(() => started.flat().length === 1, { what: "the cool-down to begin" });
  embedder.hold();
  const { cooldownMs } = await producer.stats();
  expect(cooldownMs).toBeGreaterThan(0);
  expect(cooldownMs).toBeLessThanOrEqual(400);
  await producer.enqueueMany(items(200, "more"));
  await until(() => embedder.active > 0, { what: "the probe" });
  // All others were rung, and stay away: two looks at the queue give them the time to fail this.
  for (let looks = 0; looks < 2; looks++) await producer.flushNow();
  await producer.stats();
  expect(embedder.active).toBe(1);
  expect(embedder.calls).toHaveLength(2);
  embedder.release();
  await scope.untilEmpty();
  expect(ended.flat()).toHaveLength(1);
  expect((await producer.stats()).cooldownMs).toBe(0);
  expect(embedder.texts).toHaveLength(300);
});

test("a rung doorbell at the end of the pause does not lose the probe", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  for (let round = 0; round < 5; round++) {
    embedder.next(throwing(new EmbedderError("rateLimited", "wait", { retryAfterMs: 100 })));
  }
  const queue = await scope.queue({ embedder });
  const producer = await scope.queue();
  const tickets = await producer.enqueueMany(items(50));
  let isOver = false;
  const outcomes = Promise.all(
    tickets.map((ticket) => ticket.outcome({ timeoutMs: 10_000 })),
  ).finally(() => {
    isOver = true;
  });
  // As busy producers do: a ring every moment, also in the very one when the pause ends.
  await until(
    async () => {
      await producer.flushNow();
      return isOver;
    },
    { what: "the texts to be embedded", timeoutMs: 12_000, everyMs: 0 },
  );
  expect((await outcomes).every(({ status }) => status === "embedded")).toBe(true);
  await scope.untilEmpty();
  expect(embedder.calls).toHaveLength(6);
  expect((await queue.stats()).dead).toBe(0);
});

test("a probe that needs no call does not keep the provider waiting for a whole lease", async () => {
  await using scope = await testScope();
  const producer = await scope.queue(); // knows no dimensions, so its blank text goes to a worker
  const blank = await producer.enqueue("blank", "");
  await scope.client.set(scope.keys.cooldown, `${Date.now() + 100} 1`, { PX: 60_000 });
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  expect((await blank.outcome({ timeoutMs: 5000 })).status).toBe("blank");
  const ticket = await queue.enqueue("doc:1", "words");
  await queue.flushNow();
  expect(await ticket.embedding({ timeoutMs: 5000 })).toEqual(embedder.vectorOf("words"));
  await scope.untilEmpty();
});

test("a worker that stops while it probes leaves the probe to another at once", async () => {
  await using scope = await testScope();
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  await scope.client.set(scope.keys.cooldown, `${Date.now() + 50} 1`, { PX: 60_000 });
  const stuck = new FakeEmbedder();
  stuck.hold();
  const first = await scope.worker({ embedder: stuck, stopTimeoutMs: 10 });
  const ticket = await producer.enqueue("doc:1", "words");
  await producer.flushNow();
  await until(() => stuck.active === 1, { what: "the probe" });
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  await first.stop();
  expect(await ticket.embedding({ timeoutMs: 5000 })).toEqual(embedder.vectorOf("words"));
  await scope.untilEmpty();
});

test("a worker with a wrong key pauses alone: another one does the work meanwhile", async () => {
  await using scope = await testScope();
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  const wrong = new FakeEmbedder().always(throwing(new EmbedderError("fatal", "wrong key")));
  const broken = await scope.worker({
    embedder: wrong,
    cooldown: { baseMs: 60_000, maxMs: 60_000 },
  });
  const paused = heard(broken, "worker:paused");
  const ticket = await producer.enqueue("doc:1", "words");
  await producer.flushNow();
  await until(() => paused.length === 1, { what: "the worker to pause" });
  expect((await producer.stats()).cooldownMs).toBe(0);
  const right = new FakeEmbedder();
  await scope.worker({ embedder: right });
  expect(await ticket.embedding({ timeoutMs: 10_000 })).toEqual(right.vectorOf("words"));
  await scope.untilEmpty();
  expect(wrong.calls).toHaveLength(1);
});

const HOUR_MS = 3_600_000;

test("resume ends a pause of an hour: one call tries first, then all workers go on", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.next(throwing(new EmbedderError("rateLimited", "wait", { retryAfterMs: HOUR_MS })));
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  const workers = [await scope.worker({ embedder }), await scope.worker({ embedder })];
  const ended = workers.map((worker) => heard(worker, "cooldown:ended"));
  await producer.enqueueMany(items(50));
  await until(async () => (await producer.stats()).cooldownMs > 0, { what: "the pause" });
  await until(async () => (await producer.stats()).parked === 50, { what: "the texts to go back" });
  await producer.enqueueMany(items(200, "more"));
  await producer.flushNow();
  expect(embedder.calls).toHaveLength(1);
  embedder.hold();
  await producer.resume();
  await until(() => embedder.active > 0, { what: "the probe" });
  // The others were rung as well, and stay away: two looks at the queue give them the time to fail this.
  for (let looks = 0; looks < 2; looks++) await producer.flushNow();
  await producer.stats();
  expect(embedder.active).toBe(1);
  embedder.release();
  await scope.untilEmpty();
  expect(ended.flat()).toHaveLength(1);
  expect((await producer.stats()).cooldownMs).toBe(0);
  expect(embedder.texts).toHaveLength(300);
});

test("a resume that comes too early costs one call, and the pause stands again", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.always(throwing(new EmbedderError("rateLimited", "wait", { retryAfterMs: HOUR_MS })));
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  const workers = [await scope.worker({ embedder }), await scope.worker({ embedder })];
  const started = workers.map((worker) => heard(worker, "cooldown:started"));
  await producer.enqueueMany(items(200));
  await until(() => started.flat().length > 0, { what: "the pause" });
  await until(async () => (await producer.stats()).inFlight === 0, { what: "all to go back" });
  for (let resumes = 0; resumes < 3; resumes++) {
    const [calls, pauses] = [embedder.calls.length, started.flat().length];
    await producer.resume();
    await until(() => started.flat().length > pauses, { what: "the pause to stand again" });
    expect(embedder.calls.length - calls).toBe(1);
    expect((await producer.stats()).cooldownMs).toBeGreaterThan(HOUR_MS / 2);
  }
  embedder.always();
  await until(async () => (await producer.stats()).inFlight === 0, { what: "all to go back" });
  await producer.resume();
  // What failed a probe stays away for longer.
  await until(async () => (await producer.pendingCount()) < 200, { what: "work to go on" });
});

test("resume ends the pause that a worker makes by its own fault: one call tries", async () => {
  await using scope = await testScope();
  const fault = new EmbedderError("fatal", "wrong key", { retryAfterMs: HOUR_MS });
  const embedder = new FakeEmbedder({ limits: { maxItems: 10 } }).always(throwing(fault));
  const worker = await scope.worker({ embedder });
  const paused = heard(worker, "worker:paused");
  const resumed = heard(worker, "worker:resumed");
  const producer = await scope.queue();
  await producer.enqueueMany(items(50));
  await until(() => paused.length === 1, { what: "the worker to pause" });
  await until(async () => (await producer.stats()).inFlight === 0, { what: "all to go back" });
  const calls = embedder.calls.length;
  // It sleeps, whatever is rung but this.
  await producer.flushNow();
  await producer.resume();
  await until(() => paused.length === 2, { what: "the worker to pause again" });
  expect(embedder.calls).toHaveLength(calls + 1);
  embedder.always();
  await producer.resume();
  await scope.untilEmpty();
  expect(resumed).toHaveLength(1);
});

test("a worker that did not hear the resume learns of it when its connection is back", async () => {
  await using scope = await testScope();
  const proxy = await scope.proxy();
  const fault = new EmbedderError("fatal", "wrong key", { retryAfterMs: HOUR_MS });
  const embedder = new FakeEmbedder().next(throwing(fault));
  const worker = await scope.worker({ redis: proxy.url, embedder, leaseMs: 600 });
  const paused = heard(worker, "worker:paused");
  const producer = await scope.queue();
  await producer.enqueueMany(items(50));
  await until(() => paused.length === 1, { what: "the worker to pause" });
  await until(async () => (await producer.stats()).parked === 50, { what: "the texts to go back" });
  await proxy.refuse();
  proxy.cut();
  await producer.resume();
  await proxy.accept();
  await scope.untilEmpty();
  // The first call after a setback is a smaller one.
  expect(embedder.batchSizes).toEqual([50, 25, 25]);
});

test("a call that takes longer than embedTimeoutMs is an outage, and its signal is raised", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const reasons: unknown[] = [];
  embedder.next(
    (_, { signal }) =>
      new Promise((__, reject) => {
        signal.addEventListener("abort", () => {
          reasons.push(signal.reason);
          reject(signal.reason as Error);
        });
      }),
  );
  const queue = await scope.queue({ embedder, embedTimeoutMs: 50 });
  const deferred = heard(queue, "text:deferred");
  await queue.enqueue("doc:1", "slow");
  expect((await queue.flushAndWait()).done).toBe(true);
  expect(reasons).toMatchObject([{ kind: "unavailable" }]);
  expect(deferred).toHaveLength(1);
  await scope.expectEmpty();
});

test("an embedder that ignores the signal is left behind after embedTimeoutMs", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.next(() => new Promise(() => {}));
  const queue = await scope.queue({ embedder, embedTimeoutMs: 50 });
  await queue.enqueue("doc:1", "slow");
  expect((await queue.flushAndWait()).done).toBe(true);
  expect(await scope.vector("doc:1")).toEqual([...embedder.vectorOf("slow")]);
  await scope.expectEmpty();
});
