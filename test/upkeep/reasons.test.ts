// Why workers do not call: for a pause that all share, and for one of a single worker.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/index.ts";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

const LONG = { cooldown: { baseMs: 60_000, maxMs: 60_000 } };
const SPACE = { model: "fake-1", dimensions: 4 };

test("stats say why all workers pause, until a resume whose call comes through", async () => {
  await using scope = await testScope();
  const away = new EmbedderError("unavailable", "the provider\nis away", { retryAfterMs: 60_000 });
  const embedder = new FakeEmbedder().always(throwing(away));
  await scope.worker({ embedder });
  const producer = await scope.queue(SPACE);
  expect(await producer.stats()).toMatchObject({ cooldownMs: 0, cooldownReason: undefined });
  await producer.enqueue("doc:1", "Streams keep order");
  await producer.flushNow();
  const isTold = async () => (await producer.stats()).cooldownMs > 0;
  await until(isTold, { what: "the pause" });
  expect((await producer.stats()).cooldownReason).toBe("the provider is away");
  embedder.always();
  await producer.resume();
  await scope.untilEmpty();
  expect(await producer.stats()).toMatchObject({ cooldownMs: 0, cooldownReason: undefined });
});

test("the reason is that of the last failure, short, on one line, without texts and credentials", async () => {
  await using scope = await testScope();
  const text = "A text that nobody but its owner may read in any message";
  const words = `"${text}" with Bearer abcdef123456 was refused\n${"and so on ".repeat(200)}`;
  const embedder = new FakeEmbedder()
    .next(throwing(new EmbedderError("unavailable", "first")))
    .always(throwing(new EmbedderError("rateLimited", words, { retryAfterMs: 60_000 })));
  await scope.worker({ embedder });
  const producer = await scope.queue(SPACE);
  await producer.enqueue("doc:1", text);
  await producer.flushNow();
  const reason = async () => (await producer.stats()).cooldownReason ?? "first";
  await until(async () => (await reason()) !== "first", { what: "the second failure" });
  expect(await reason()).toStartWith('"<text>" with Bearer *** was refused and so on and so on');
  expect((await reason()).length).toBeLessThanOrEqual(500);
  expect(await reason()).not.toContain("\n");
});

test("stats say which worker pauses by its own fault and why, and others make no pause", async () => {
  await using scope = await testScope();
  const wrong = new FakeEmbedder().always(throwing(new EmbedderError("fatal", "Unknown key")));
  const refused = await scope.worker({ embedder: wrong, ...LONG });
  const paused = heard(refused, "worker:paused");
  const producer = await scope.queue(SPACE);
  await producer.enqueue("doc:1", "Streams keep order");
  await producer.flushNow();
  await until(() => paused.length === 1, { what: "the pause" });
  const pauses = async () => (await producer.stats()).workers.map(({ pause }) => pause?.reason);
  await until(async () => (await pauses())[0] === "Unknown key", { what: "word of it" });
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  await scope.untilEmpty();
  const { workers, cooldownReason } = await producer.stats();
  expect(workers.map(({ pause }) => pause?.reason).toSorted()).toEqual(["Unknown key", undefined]);
  const [leftMs = 0] = workers.flatMap(({ pause }) => pause?.leftMs ?? []);
  expect(leftMs).toBeGreaterThan(0);
  expect(leftMs).toBeLessThanOrEqual(60_000);
  expect(cooldownReason).toBeUndefined();
});

test("word of a worker's pause is gone after a resume, and when the worker leaves", async () => {
  await using scope = await testScope();
  const wrong = new FakeEmbedder().always(throwing(new EmbedderError("fatal", "Unknown key")));
  const worker = await scope.worker({ embedder: wrong, ...LONG });
  const producer = await scope.queue(SPACE);
  await producer.enqueue("doc:1", "Streams keep order");
  await producer.flushNow();
  const reasons = async () =>
    (await producer.stats()).workers.flatMap(({ pause }) => pause?.reason ?? []);
  await until(async () => (await reasons()).length === 1, { what: "word of the pause" });
  const { calls } = wrong;
  const before = calls.length;
  wrong.hold();
  await producer.resume();
  await until(() => calls.length > before, { what: "another call" });
  expect(await reasons()).toEqual([]);
  wrong.release();
  await until(async () => (await reasons()).length === 1, { what: "word of the next pause" });
  await worker.stop();
  const notes = async () =>
    Object.keys(await scope.client.hGetAll(scope.keys.usage)).filter((name) => name.includes(":"));
  expect(await notes()).toEqual([]);
});

test("a call that comes through ends a worker's pause, and the word of it", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { maxItems: 1 } });
  let end = () => {};
  embedder.next(
    (texts) =>
      new Promise((resolve) => {
        end = () => resolve(embedder.answer(texts));
      }),
    throwing(new EmbedderError("fatal", "Unknown key")),
  );
  await scope.worker({ embedder, ...LONG, concurrency: 2, maxBatchSize: 2 });
  const producer = await scope.queue(SPACE);
  const reasons = async () =>
    (await producer.stats()).workers.flatMap(({ pause }) => pause?.reason ?? []);
  await producer.enqueueMany(items(2));
  await until(async () => (await reasons()).length === 1, { what: "word of the pause" });
  end();
  await until(async () => (await reasons()).length === 0, { what: "the end of it" });
  await scope.untilEmpty();
});

test("reasons that Redis cannot keep are none: the pause is in force all the same", async () => {
  await using scope = await testScope();
  const away = new EmbedderError("unavailable", "away", { retryAfterMs: 60_000 });
  await scope.worker({ embedder: new FakeEmbedder().always(throwing(away)) });
  const producer = await scope.queue(SPACE);
  await scope.client.set(scope.keys.usage, "a foreign value");
  await producer.enqueue("doc:1", "Streams keep order");
  await producer.flushNow();
  const isPaused = async () => (await producer.stats()).cooldownMs > 0;
  await until(isPaused, { what: "the pause" });
  expect((await producer.stats()).cooldownMs).toBeGreaterThan(30_000);
});
