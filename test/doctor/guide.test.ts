// The users that the guide gives, on a real server: their rights are enough for what it says, and no more.

import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, items, type Scope, testScope } from "../helpers/scope.ts";
import { diagnoseScope, of, urlAs, WELL_SET_UP } from "./findings.ts";

const PASSWORD = "secret-word";
const guide = await readFile(join(import.meta.dir, "../../docs/guides/redis.md"), "utf8");

/** Makes a user of the guide's for the scope's queue; the URL to come as that user. */
async function guideUser(scope: Scope, user: string): Promise<string> {
  const line = guide.split("\n").find((one) => one.startsWith(`ACL SETUSER ${user} `));
  if (line === undefined) throw new Error(`the guide has no user ${user}`);
  const own = line.replaceAll("PASSWORD", PASSWORD).replaceAll("embed_queue", scope.name);
  await scope.client.sendCommand(own.split(" "));
  return urlAs(scope, user, PASSWORD);
}

test("the guide's producer enqueues, waits and looks after the queue; its worker embeds", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  const embedder = new FakeEmbedder();
  const redis = await guideUser(scope, "embedq-producer");
  const worker = await scope.worker({
    redis: await guideUser(scope, "embedq-worker"),
    embedder,
    cache: { ttlMs: 60_000 },
    budget: { account: "acme", requestsPerMinute: 1000 },
  });
  const queue = await scope.queue({ redis, notifications: "assume" });
  const tickets = await queue.enqueueMany(items(3));
  await queue.flushNow();
  for (const ticket of tickets) expect(await ticket.embedding()).toHaveLength(4);
  await queue.enqueue("doc:blank", " ");
  await queue.pause();
  await queue.enqueue("doc:9", "a text");
  expect(await queue.cancel("doc:9")).toBe("waiting");
  await queue.configure({ leaseMs: 30_000 });
  await queue.resume();
  expect(await queue.flushAndWait()).toMatchObject({ remaining: 0 });
  expect(await queue.stats()).toMatchObject({ pending: 0 });
  expect(await queue.deadLetters()).toEqual([]);
  expect((await scope.client.keys(`${scope.name}:cache:*`)).length).toBe(3);
  expect(await scope.client.exists("{embedq:acme}:budget")).toBe(1);
  await worker.stop();

  // Not one key beyond.
  const denied = await failure(queue.enqueue("other:1", "a text").then((made) => made.outcome()));
  expect(denied).toBeInstanceOf(Error);
  await queue.cancel("other:1");
});

test("doctor finds the guide's users' rights enough, each for what it is", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  const embedder = new FakeEmbedder();
  const options = { destination: "doc:1" };
  const producer = await guideUser(scope, "embedq-producer");
  const asProducer = await diagnoseScope(scope, { redis: producer, ...options });
  expect(of(asProducer, "rights").map(({ level }) => level)).toEqual(["warning", "note"]);
  const worker = await guideUser(scope, "embedq-worker");
  const asWorker = await diagnoseScope(scope, { redis: worker, embedder, ...options });
  expect(of(asWorker, "rights").map(({ level }) => level)).toEqual(["note"]);
  expect(asWorker.isHealthy).toBe(true);
  expect(of(asWorker, "notifications")[0]?.level).not.toBe("problem");
});
