// A walk over hashes, a budget and a cache, with a client of every version: bytes, maps and numbers come back right.

import { describe, expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { handIn, KINDS } from "./kinds.ts";

describe.each(KINDS)("$kind", (kind) => {
  test("a backfill under a budget, with a cache, embeds every hash once", async () => {
    await using scope = await testScope();
    await using mine = await handIn(kind, scope);
    const hashes = Array.from({ length: 40 }, (_, i) => ({
      key: `wörd:${i}`,
      body: `text ${i % 10} –`,
    }));
    for (const { key, body } of hashes) await scope.client.hSet(key, { body });
    // No text: a walk passes it by.
    await scope.client.sendCommand(["HSET", Buffer.from([0x77, 0xff, 0xfe]), "body", "x"] as never);
    const embedder = new FakeEmbedder();
    const queue = await mine.queue({
      embedder,
      maxBatchSize: 10,
      concurrency: 1,
      cache: { ttlMs: 60_000 },
      budget: { requestsPerMinute: 1000, tokensPerMinute: 100_000 },
    });
    const done = await queue.backfill({ match: "w*", textField: "body" });
    expect(done).toMatchObject({ enqueued: 40 });
    await queue.flushAndWait({ timeoutMs: 20_000 });
    await scope.untilEmpty();
    for (const { key, body } of hashes) {
      expect(await scope.vector(key)).toEqual([...embedder.vectorOf(body)]);
    }
    // Ten texts in one batch; those of the other batches are known by then.
    expect(new Set(embedder.texts).size).toBe(10);
    const cached = await queue.enqueue("fresh:1", "text 3 –");
    const before = embedder.calls.length;
    await queue.flushAndWait({ timeoutMs: 20_000 });
    expect(await cached.embedding()).toEqual(embedder.vectorOf("text 3 –"));
    expect(embedder.calls).toHaveLength(before);

    const again = await queue.reembed({ match: "w*", textField: "body" });
    expect(again).toMatchObject({ enqueued: 0 });
  });
});
