// The module and embedq were given texts for the same key: the newest wins, as far as its time is known.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { type Scope, testScope } from "../helpers/scope.ts";
import { PythonModule } from "./module.ts";

async function wins(scope: Scope, text: string): Promise<void> {
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.flushAndWait();
  expect(await scope.vector("msg:1")).toEqual([...embedder.vectorOf(text)]);
  expect(await new PythonModule(scope.client).state()).toMatchObject({ pending: [], inflight: [] });
}

test("embedq's newer text, outstanding", async () => {
  await using scope = await testScope();
  await new PythonModule(scope.client).enqueue("msg:1", "module");
  const queue = await scope.queue();
  await queue.enqueue("msg:1", "embedq");
  expect(await queue.takeOver()).toMatchObject({ enqueued: 0, known: 1 });
  await wins(scope, "embedq");
});

test("embedq's newer text, stored", async () => {
  await using scope = await testScope();
  await new PythonModule(scope.client).enqueue("msg:1", "module");
  const queue = await scope.queue({ embedder: new FakeEmbedder() });
  await queue.enqueue("msg:1", "embedq");
  await queue.flushAndWait();
  expect(await queue.takeOver()).toMatchObject({ enqueued: 0, known: 1 });
  await wins(scope, "embedq");
});

test("the module's newer text, over one of embedq's that is outstanding or stored", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder() });
  const module = new PythonModule(scope.client);
  await queue.enqueue("msg:1", "embedq");
  await module.enqueue("msg:1", "module");
  expect(await queue.takeOver()).toMatchObject({ enqueued: 1, known: 0 });
  await queue.flushAndWait();
  await module.enqueue("msg:1", "module again");
  expect(await queue.takeOver()).toMatchObject({ enqueued: 1, known: 0 });
  await wins(scope, "module again");
});

test("a module's clock that is ahead takes nothing from what embedq is given afterwards", async () => {
  await using scope = await testScope();
  const ahead = new PythonModule(scope.client, 3600);
  await ahead.enqueue("msg:1", "module");
  const queue = await scope.queue();
  await queue.takeOver();
  const [version] = (await scope.dedup())["msg:1"]?.split(" ") ?? [];
  expect(Number(version)).toBeLessThan((Date.now() + 60_000) * 1000);
  await queue.enqueue("msg:1", "embedq");
  await wins(scope, "embedq");
});

test("two texts of one key that the module's tracking has forgotten come in their order", async () => {
  await using scope = await testScope();
  const module = new PythonModule(scope.client, -1000);
  await module.enqueue("msg:1", "older");
  await module.claim(1);
  await module.enqueue("msg:1", "newer");
  // A worker has finished another text of the key in between, and with it the tracking.
  await scope.client.hDel("embed_queue:dedup", "msg:1");
  const queue = await scope.queue();
  await queue.takeOver();
  await wins(scope, "newer");
});

test("scores that are no times", async () => {
  for (const score of ["-inf", "+inf", "0", "-5", "1e300"]) {
    await using scope = await testScope();
    const member = JSON.stringify({ redis_key: "msg:1", text: "module" });
    await scope.client.sendCommand(["ZADD", "embed_queue:pending", score, member]);
    const queue = await scope.queue();
    expect(await queue.takeOver()).toMatchObject({ enqueued: 1 });
    await wins(scope, "module");
    const { embedding_version: version } = await scope.destination("msg:1");
    expect(Number(version)).toBeGreaterThan(0);
    expect(Number(version)).toBeLessThanOrEqual(Date.now() * 1000 + 1_000_000);
  }
});
