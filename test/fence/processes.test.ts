// A worker process stands still in the middle of a provider call until its lease is over and
// another has finished. When it wakes, it can neither bring an older vector nor a deleted row back.

import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FakeEmbedder, vectorOf } from "../helpers/embedder.ts";
import { type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { type Helper, startHelper } from "../runtimes/process.ts";

const SCRIPT = join(import.meta.dir, "slow-worker.mjs");
/** What the slow worker brings: never the right vector. */
const STALE = [9, 9, 9, 9];
const SETTINGS = { leaseMs: 400, flushIntervalMs: 0 };

interface Pause {
  start(scope: Scope): Helper;
  /** The worker stands still; nothing to do where it does so by itself. */
  begin(helper: Helper): void;
  end(scope: Scope, helper: Helper): unknown;
}

const PAUSES: Record<string, Pause> = {
  "stopped by SIGSTOP": {
    start: (scope) => startHelper("bun", SCRIPT, [scope.url, scope.name, JSON.stringify(STALE)]),
    begin: (helper) => helper.signal("SIGSTOP"),
    end(_, helper) {
      helper.signal("SIGCONT");
      helper.tell("go");
    },
  },
  "whose event loop is blocked": {
    start: (scope) =>
      startHelper("bun", SCRIPT, [scope.url, scope.name, JSON.stringify(STALE), wakeFile(scope)]),
    begin: () => {},
    end: (scope) => writeFile(wakeFile(scope), ""),
  },
};

for (const [name, pause] of Object.entries(PAUSES)) {
  test(`a worker ${name} does not overwrite a newer text's vector`, async () => {
    await using scope = await testScope();
    const producer = await scope.queue(SETTINGS);
    await producer.enqueue("doc:0", "old");
    await using slow = pause.start(scope);
    await slow.hear("call");
    pause.begin(slow);

    const newer = await producer.enqueue("doc:0", "new");
    const embedder = new FakeEmbedder();
    await scope.worker({ embedder });
    expect(await newer.embedding()).toEqual(vectorOf("new", 4));
    await scope.untilEmpty();

    await pause.end(scope, slow);
    await slow.hear("drained");
    await expectStored(scope, newer.version, vectorOf("new", 4));
    await scope.expectEmpty();
    expect(embedder.texts).toEqual(["new"]);
    expect(await slow.stop()).toBe(0);
    await scope.expectEmpty();
  }, 30_000);

  test(`a worker ${name} tells that its lease is lost`, async () => {
    await using scope = await testScope();
    const producer = await scope.queue(SETTINGS);
    const ticket = await producer.enqueue("doc:0", "one");
    await using slow = pause.start(scope);
    await slow.hear("call");
    pause.begin(slow);

    const embedder = new FakeEmbedder();
    embedder.hold();
    const other = await scope.worker({ embedder });
    await until(() => embedder.active === 1, { what: "another worker to take over" });
    await pause.end(scope, slow);
    expect(await slow.hear("lost")).toMatchObject({ keys: ["doc:0"] });
    await slow.hear("drained");
    embedder.release();
    await ticket.outcome();
    await scope.untilEmpty();
    expect(await slow.stop()).toBe(0);
    await other.stop();
  }, 30_000);

  test(`a worker ${name} does not bring a deleted destination back`, async () => {
    await using scope = await testScope();
    const producer = await scope.queue(SETTINGS);
    const ticket = await producer.enqueue("doc:0", "one");
    await using slow = pause.start(scope);
    await slow.hear("call");
    pause.begin(slow);

    await scope.worker({ embedder: new FakeEmbedder() });
    expect(await ticket.embedding()).toEqual(vectorOf("one", 4));
    await scope.untilEmpty();
    await scope.client.del("doc:0");
    await pause.end(scope, slow);
    await slow.hear("drained");
    expect(await scope.client.exists("doc:0")).toBe(0);
    await scope.expectEmpty();
    expect(await slow.stop()).toBe(0);
  }, 30_000);
}

function wakeFile(scope: Scope): string {
  return join(scope.server.dir, "wake");
}

async function expectStored(scope: Scope, version: number, vector: Float32Array): Promise<void> {
  const { embedding_version } = await scope.destination("doc:0");
  expect(embedding_version).toBe(String(version));
  expect(await scope.vector("doc:0")).toEqual([...vector]);
}
