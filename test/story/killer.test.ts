// A text that may kill its workers is tried alone, then given up; innocent texts are not.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

/** As after so many claims that never came back: held by the dead, lease over. */
async function lose(scope: Scope, id: string, deliveries: number): Promise<void> {
  await scope.client.sendCommand([
    ...["XCLAIM", scope.keys.pending, "embedders", "ghost", "0", id],
    ...["IDLE", "3600000", "RETRYCOUNT", String(deliveries), "JUSTID"],
  ]);
}

test("a delivery lost once is no suspicion: the text goes out with others", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  await producer.enqueueMany(items(4));
  const [id] = await scope.abandon(1);
  await lose(scope, id ?? "", 1);
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  await scope.untilEmpty();
  expect(embedder.batchSizes).toEqual([4]);
});

test("a text whose claims were lost twice is tried alone, with nothing else in flight", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  const tickets = await producer.enqueueMany(items(4));
  const [id] = await scope.abandon(1);
  await lose(scope, id ?? "", 2);
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  for (const ticket of tickets) expect((await ticket.outcome()).status).toBe("embedded");
  await scope.untilEmpty();
  expect(embedder.peak).toBe(1);
  expect(embedder.calls.toSorted((a, b) => a.length - b.length)).toEqual([
    ["doc text 0"],
    ["doc text 1", "doc text 2", "doc text 3"],
  ]);
});

test("several suspects are tried one after the other", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  await producer.enqueueMany(items(5));
  for (const id of await scope.abandon(3)) await lose(scope, id, 3);
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  await scope.untilEmpty();
  expect(embedder.peak).toBe(1);
  expect(embedder.batchSizes.toSorted()).toEqual([1, 1, 1, 2]);
  expect((await producer.stats()).dead).toBe(0);
});

test("a busy worker drains first, then tries the suspect alone", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const producer = await scope.queue({ leaseMs: 1000 });
  await scope.worker({ embedder });
  await producer.enqueueMany(items(50));
  await until(() => embedder.active === 1, { what: "the worker to be busy" });
  await producer.enqueue("suspect", "suspect");
  const [id] = await scope.abandon(1);
  await lose(scope, id ?? "", 2);
  await producer.flushNow();
  // The claim that finds the suspect parks it again for a worker that has nothing in flight.
  await until(async () => (await scope.group()).some(({ consumer }) => consumer === "parked"), {
    what: "the suspect to be parked",
  });
  expect(embedder.active).toBe(1);
  embedder.release();
  await scope.untilEmpty();
  expect(embedder.calls).toHaveLength(2);
  expect(embedder.calls[1]).toEqual(["suspect"]);
  expect(embedder.peak).toBe(1);
});

test("lost twice more while alone it is given up with a dead letter, and the others are fine", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  const tickets = await producer.enqueueMany(items(4));
  const [id] = await scope.abandon(1);
  await lose(scope, id ?? "", 4);
  const embedder = new FakeEmbedder();
  const worker = await scope.worker({ embedder });
  const dead = heard(worker, "text:dead");
  const outcomes = await Promise.all(tickets.map((ticket) => ticket.outcome()));
  expect(outcomes.map(({ status }) => status)).toEqual([
    "dead",
    "embedded",
    "embedded",
    "embedded",
  ]);
  await scope.untilEmpty();
  expect(embedder.texts).not.toContain("doc text 0");
  expect(await scope.vector("doc:0")).toEqual([0, 0, 0, 0]);
  const letters = await producer.deadLetters();
  expect(letters).toMatchObject([{ key: "doc:0", text: "doc text 0", attempts: 0 }]);
  expect(letters[0]?.reason).toContain("4");
  await until(() => dead.length === 1, { what: "text:dead" });
  expect(dead.map(({ key }) => key)).toEqual(["doc:0"]);
});

test("the whole way: a text that never comes back is handed out four times, the last two alone", async () => {
  await using scope = await testScope();
  const producer = await scope.queue({ leaseMs: 60_000 });
  await producer.enqueueMany(items(3));
  const [killer] = await scope.abandon(1);
  const id = killer ?? "";
  for (const wantedAlone of [false, true, true]) {
    const [before] = (await scope.group()).filter((entry) => entry.id === id);
    await lose(scope, id, before?.deliveries ?? 1);
    // A worker that hangs in its call, as good as dead, and is cut off without a stop.
    const stuck = new FakeEmbedder();
    stuck.hold();
    const worker = await scope.worker({ embedder: stuck, stopTimeoutMs: 0 });
    await until(() => stuck.texts.includes("doc text 0"), { what: "the killer to be handed out" });
    const call = stuck.calls.find((texts) => texts.includes("doc text 0"));
    expect(call?.length === 1).toBe(wantedAlone);
    const [held] = (await scope.group()).filter((entry) => entry.id === id);
    await lose(scope, id, held?.deliveries ?? 0); // nobody will hand it back in order
    await worker.stop();
    stuck.release();
  }
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  await scope.untilEmpty();
  expect(embedder.texts.toSorted()).toEqual(["doc text 1", "doc text 2"]);
  expect(await producer.deadLetters()).toMatchObject([{ key: "doc:0" }]);
});

test("a newer text of a suspect key is no suspect", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  await producer.enqueue("doc:1", "killer");
  const [id] = await scope.abandon(1);
  await lose(scope, id ?? "", 3);
  const ticket = await producer.enqueue("doc:1", "harmless");
  await producer.enqueue("doc:2", "neighbour");
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("harmless"));
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([["harmless", "neighbour"]]);
});
