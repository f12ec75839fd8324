// Workers with nothing to do leave Redis alone. The only test that looks at a fixed window of time.

import { expect, test } from "bun:test";
import { setTimeout as pause } from "node:timers/promises";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { watchCommands } from "../helpers/monitor.ts";
import { items, testScope } from "../helpers/scope.ts";

const WINDOW_MS = 10_000;

test(
  "idle workers send at most one command a second: nothing to do, ten texts not yet due, three workers",
  async () => {
    const lone = async () => {
      await using scope = await testScope();
      await scope.worker({ embedder: new FakeEmbedder() });
      return await countWhileIdle(scope.url);
    };
    const waiting = async () => {
      await using scope = await testScope();
      const queue = await scope.queue({ embedder: new FakeEmbedder() });
      await queue.enqueueMany(items(10));
      const count = await countWhileIdle(scope.url);
      expect(await queue.stats()).toMatchObject({ waiting: 10 });
      return count;
    };
    const three = async () => {
      await using scope = await testScope();
      for (let n = 0; n < 3; n++) await scope.worker({ embedder: new FakeEmbedder() });
      const producer = await scope.queue();
      await producer.enqueueMany(items(10));
      return await countWhileIdle(scope.url);
    };
    const counts = await Promise.all([lone(), waiting(), three()]);
    for (const count of counts) expect(count).toBeLessThanOrEqual(WINDOW_MS / 1000);
  },
  WINDOW_MS + 20_000,
);

/** Commands of all clients in the window, after the start's own. */
async function countWhileIdle(url: string): Promise<number> {
  await using seen = await watchCommands(url);
  await seen.settled();
  seen.clear();
  await pause(WINDOW_MS);
  await seen.settled();
  return seen.commands.length;
}
