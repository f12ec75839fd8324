// A long call goes in chunks, each sent before the one before it is answered. Whatever fails on the way,
// the last of two texts for one key wins.

import { expect, test } from "bun:test";
import type { AcceptedText } from "../../src/flow/enqueue.ts";
import { items, type Scope, testScope } from "../helpers/scope.ts";
import { before, type Hook, intercept, lostReply, lostRequest, once } from "./helpers/intercept.ts";
import { openRig } from "./helpers/rig.ts";

/** Four chunks, with texts of one key in the first two of them. */
function twice(first: string, second: string) {
  const all = items(1000);
  all[0] = { key: "doc", text: first };
  all[300] = { key: "doc", text: second };
  return all;
}

async function textOf(scope: Scope, key: string): Promise<string | undefined> {
  return (await scope.client.hGet(scope.keys.dedup, key))?.split("\n")[1];
}

const FAULTS: [string, Hook][] = [
  ["never arrives", lostRequest],
  ["is not answered", lostReply],
];
test.each(FAULTS)(
  "where the call of a chunk %s, what was sent after it is sent again too",
  async (_, fault) => {
    await using scope = await testScope();
    await using rig = await openRig(scope);
    const link = intercept(rig.link, "enqueue", once(fault));
    const accepted = await rig.enqueueMany(twice("older", "newer"), { link });
    expect(accepted).toHaveLength(1000);
    expect(await textOf(scope, "doc")).toBe("newer");
    expect(accepted[300]).toEqual({ key: "doc", version: await rig.outstanding("doc") });
    expect(accepted[0]?.version).toBeLessThan(accepted[300]?.version ?? 0);
    expect(await scope.client.hLen(scope.keys.dedup)).toBe(999);
    expect(await scope.stream()).toHaveLength(999);
  },
);

test("a text that must be enqueued after all does not come after a newer one of a later chunk", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.finish("doc", "older");
  const removal = before(() => scope.client.del("doc"));
  const link = intercept(rig.link, "write", once(removal));
  const accepted = await rig.enqueueMany(twice("older", "newer"), { link });
  expect(await textOf(scope, "doc")).toBe("newer");
  expect(accepted[300]?.version).toBe(await rig.outstanding("doc"));
});

test("what fails for good says how much was accepted, in order and without a hole", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  let calls = 0;
  const link = intercept(rig.link, "enqueue", (call) => (++calls > 2 ? lostRequest(call) : call()));
  const accepted: AcceptedText[] = [];
  const call = rig.enqueueMany(twice("older", "newer"), { link, accepted });
  await expect(call).rejects.toThrow("the request was lost");
  expect(accepted).toHaveLength(512);
});
