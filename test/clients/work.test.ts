// The main story with a client that is handed in, of every version.

import { describe, expect, test } from "bun:test";
import { EmbedderError } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { handIn, KINDS } from "./kinds.ts";

describe.each(KINDS)("$kind", (kind) => {
  test("texts are batched, coalesced, superseded, embedded and waited for", async () => {
    await using scope = await testScope();
    await using mine = await handIn(kind, scope);
    await using other = await handIn(kind, scope);
    const embedder = new FakeEmbedder();
    const producer = await mine.queue();
    const refused = heard(producer, "notifications:unavailable");
    const enabled = heard(producer, "notifications:enabled");
    const early = await producer.enqueue("doc:0", "an older text");
    const tickets = await producer.enqueueMany([
      ...items(70),
      // The same text for the same key is the same work.
      ...items(3),
      { key: "ключ \uFEFF:1", text: "\uFEFFein Text – 文" },
      { key: "doc:blank", text: "  " },
    ]);
    const waits = Promise.all(tickets.map((ticket) => ticket.outcome({ timeoutMs: 20_000 })));
    const worker = await other.worker({ embedder });
    await producer.flushAndWait({ timeoutMs: 20_000 });

    const outcomes = await waits;
    expect(refused).toEqual([]);
    expect(enabled.map(({ flags }) => [...flags].toSorted().join(""))).toEqual(["Kh"]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 74 }, () => "embedded" as const),
      "blank",
    ]);
    expect(await early.outcome()).toMatchObject({ status: "embedded", superseded: true });
    expect(embedder.texts).toHaveLength(71);
    expect(await producer.ticket("doc:69", tickets[69]?.version ?? 0).embedding()).toEqual(
      embedder.vectorOf("doc text 69"),
    );
    expect(await tickets[73]?.embedding()).toEqual(embedder.vectorOf("\uFEFFein Text – 文"));
    await scope.untilEmpty();

    const stats = await producer.stats();
    expect(stats).toMatchObject({ waiting: 0, inFlight: 0, pending: 0, dead: 0, isPaused: false });
    await worker.stop();
    expect((await producer.stats()).usage.texts).toBe(71);
  });

  test("work is cancelled, given up, sent back, paused and resumed", async () => {
    await using scope = await testScope();
    await using mine = await handIn(kind, scope);
    const embedder = new FakeEmbedder();
    const queue = await mine.queue({ embedder });
    expect(await queue.cancel("doc:0")).toBe("absent");
    const cancelled = await queue.enqueue("doc:0", "unwanted");
    const wait = cancelled.outcome({ timeoutMs: 10_000 });
    expect(await queue.cancel("doc:0")).toBe("waiting");
    expect(await wait).toMatchObject({ status: "gone" });

    embedder.always((texts) =>
      texts.map((text) =>
        text === "bad" ? new EmbedderError("rejected", "no") : embedder.vectorOf(text),
      ),
    );
    const bad = await queue.enqueue("doc:1", "bad");
    await queue.flushNow();
    expect(await bad.outcome({ timeoutMs: 10_000 })).toMatchObject({ status: "dead" });
    await until(async () => (await queue.stats()).dead === 1, { what: "the dead letter" });
    const letters = await queue.deadLetters();
    expect(letters).toMatchObject([{ key: "doc:1", text: "bad", version: bad.version }]);

    await queue.pause();
    expect(await queue.stats()).toMatchObject({ isPaused: true, dead: 1 });
    embedder.always();
    expect(await queue.sendBack(letters[0]?.id ?? "")).not.toBe(false);
    await queue.flushNow();
    expect(await queue.stats()).toMatchObject({ pending: 1 });
    await queue.resume();
    await until(async () => (await scope.vector("doc:1"))?.some((number) => number !== 0), {
      what: "the text that was sent back to be embedded",
    });
    await scope.untilEmpty();
    expect(await scope.vector("doc:1")).toEqual([...embedder.vectorOf("bad")]);
    expect(await scope.client.exists("doc:0")).toBe(0);
  });
});
