// Redis restarts, forgets its scripts, or closes the pub/sub connection, under a client of every version.

import { describe, expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { handIn, KINDS } from "./kinds.ts";

describe.each(KINDS)("$kind", (kind) => {
  test("when Redis restarts, both connections come back and the work goes on", async () => {
    await using scope = await testScope({
      args: ["--appendonly", "yes", "--appendfsync", "always"],
    });
    await using mine = await handIn(kind, scope);
    const embedder = new FakeEmbedder();
    embedder.hold();
    const queue = await mine.queue({ embedder });
    const lost = heard(queue, "connection:lost");
    const restored = heard(queue, "connection:restored");
    const tickets = await queue.enqueueMany(items(60));
    const waits = Promise.all(tickets.map((ticket) => ticket.embedding({ timeoutMs: 30_000 })));
    await until(() => embedder.active > 0, { what: "a call to be under way" });
    await scope.server.kill("SIGKILL");
    await until(() => new Set(lost.map(({ role }) => role)).size === 2, {
      what: "both connections to be lost",
    });
    embedder.release();
    await scope.server.restart();
    await until(() => new Set(restored.map(({ role }) => role)).size === 2, {
      what: "both connections to be back",
    });
    await queue.flushNow();
    expect(await waits).toEqual(items(60).map(({ text }) => embedder.vectorOf(text)));
    await scope.untilEmpty();
  });

  test("scripts that Redis forgot are sent in full", async () => {
    await using scope = await testScope();
    await using mine = await handIn(kind, scope);
    const embedder = new FakeEmbedder();
    const queue = await mine.queue({ embedder });
    await scope.client.sendCommand(["SCRIPT", "FLUSH"]);
    const ticket = await queue.enqueue("doc:1", "text");
    await scope.client.sendCommand(["SCRIPT", "FLUSH"]);
    await queue.flushAndWait({ timeoutMs: 10_000 });
    expect(await ticket.embedding()).toEqual(embedder.vectorOf("text"));
  });

  test("a pub/sub connection that is killed comes back with all its channels", async () => {
    await using scope = await testScope();
    await using mine = await handIn(kind, scope);
    const embedder = new FakeEmbedder();
    const queue = await mine.queue();
    const lost = heard(queue, "connection:lost");
    const restored = heard(queue, "connection:restored");
    const tickets = await queue.enqueueMany(items(30));
    // A timer would look by itself much later than this.
    const waits = Promise.all(tickets.map((ticket) => ticket.embedding({ timeoutMs: 10_000 })));
    const channels = async () => scope.client.pubSubChannels("__keyspace@*");
    await until(async () => (await channels()).length === 30, { what: "the waits to be live" });
    expect(Number(await scope.client.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"]))).toBe(1);
    await until(() => restored.length === 1, { what: "the subscriber to be back" });
    expect(lost.map(({ role }) => role)).toEqual(["subscriber"]);
    expect(await channels()).toHaveLength(30);
    const worker = await scope.worker({ embedder });
    await queue.flushNow();
    expect(await waits).toHaveLength(30);
    await until(async () => (await channels()).length === 0, { what: "the channels to be left" });
    await worker.stop();
  });
});
