// The main stories on an embedded server that models other versions, and refuses what those lack. It has
// no memory limits, no access rules and no restarts; and it never was a real Redis 6.2, so that
// `commands.test.ts` looks at what is sent in another way as well.

import { describe, expect, test } from "bun:test";
import { createRedisMock } from "js-redis-server";
import { createClient } from "redis";
import { mainStories, type Owner, takeOver } from "./stories.ts";

type Mode = NonNullable<NonNullable<Parameters<typeof createRedisMock>[0]>["compatibility"]>;
const MODES: Mode[] = [
  "redis-6.2",
  "redis-7.2",
  "redis-7.4",
  "redis-8.0",
  "valkey-8.0",
  "valkey-9.0",
];

async function on(
  compatibility: Mode,
  story: (url: string, name: string, owner: Owner) => Promise<void>,
): Promise<void> {
  const server = await createRedisMock({ compatibility });
  const owner = createClient({ url: server.url });
  owner.on("error", () => {});
  await owner.connect();
  try {
    await story(server.url, "old", owner);
  } finally {
    await owner.disconnect();
    await server.close();
  }
}

test("as Redis 6.2 it refuses newer commands and options, in scripts too", () =>
  on("redis-6.2", async (_url, _name, owner) => {
    expect(String(await owner.sendCommand(["INFO", "server"]))).toContain("redis_version:6.2");
    for (const newer of [
      ["EXPIRETIME", "key"],
      ["EXPIRE", "key", "1", "NX"],
      ["EVAL", "return redis.call('EXPIRETIME', 'key')", "0"],
    ]) {
      await expect(owner.sendCommand(newer)).rejects.toThrow();
    }
  }));

describe.each(MODES)("%s", (mode) => {
  test("the main stories", () => on(mode, mainStories), 120_000);
  test("a dead worker's texts are taken over", () => on(mode, takeOver), 120_000);
});
