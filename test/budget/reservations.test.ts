// A share of a rate budget: reserved before the call, corrected after it, and never lost for good.

import { expect, test } from "bun:test";
import { RateBudget, type Reservation } from "../../src/flow/budget.ts";
import type { Budget } from "../../src/index.ts";
import { budgetKey } from "../../src/redis/scripts/budget.ts";
import { testScope } from "../helpers/scope.ts";
import { openRig, type Rig } from "../protocol/helpers/rig.ts";

/** Longer than any test takes: what is reserved stays reserved. */
const LONG = { account: "shared", windowMs: 600_000 };

function budgetOf(rig: Rig, limits: Budget, holdMs = 1000, costPerItem = 0): RateBudget {
  return new RateBudget(rig.link, { ...LONG, ...limits }, "nobody", costPerItem, holdMs);
}

/** Reserves, or gives up at the first wait and says how long it would have been. */
async function attempt(
  budget: RateBudget,
  size: { items: number; tokens: number },
): Promise<Reservation | number> {
  const stop = new AbortController();
  let waitMs = 0;
  const reservation = await budget.reserve(size, stop.signal, (ms) => {
    waitMs = ms;
    stop.abort();
  });
  return reservation ?? waitMs;
}

const call = (tokens: number, items = 1) => ({ items, tokens });

test("calls fit until requests are used up, whoever of the account makes them", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const [one, two] = [
    budgetOf(rig, { requestsPerMinute: 3 }),
    budgetOf(rig, { requestsPerMinute: 3 }),
  ];
  expect(await attempt(one, call(1))).toBeObject();
  expect(await attempt(two, call(1))).toBeObject();
  expect(await attempt(one, call(1))).toBeObject();
  expect(await attempt(two, call(1))).toBeNumber();
  const other = new RateBudget(
    rig.link,
    { requestsPerMinute: 3, windowMs: 600_000 },
    "other",
    0,
    1000,
  );
  expect(await attempt(other, call(1))).toBeObject();
});

test("tokens count as reserved until the provider reports what they were", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const budget = budgetOf(rig, { tokensPerMinute: 100 });
  const first = await attempt(budget, call(80));
  expect(await attempt(budget, call(50))).toBeNumber();
  await (first as Reservation).settle(50);
  const second = await attempt(budget, call(50));
  expect(second).toBeObject();
  await (second as Reservation).settle(90);
  expect(await attempt(budget, call(1))).toBeNumber();
});

test("a call that was not made gives everything back", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const budget = budgetOf(rig, { requestsPerMinute: 1, tokensPerMinute: 10, requestsPerDay: 1 });
  const reservation = await attempt(budget, call(10));
  expect(await attempt(budget, call(10))).toBeNumber();
  await (reservation as Reservation).release();
  expect(await attempt(budget, call(10))).toBeObject();
});

test("the budget of a day binds where that of the minute does not", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const budget = budgetOf(rig, { requestsPerMinute: 100, requestsPerDay: 1, windowMs: 1000 });
  await ((await attempt(budget, call(1))) as Reservation).settle(undefined);
  const waitMs = await attempt(budget, call(1));
  expect(waitMs).toBeGreaterThan(80_000_000);
});

test("a provider that counts every text gets every text counted", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const budget = budgetOf(rig, { requestsPerMinute: 100 }, 1000, 1);
  expect(budget.capTo({ maxItems: 2048 }).maxItems).toBe(100);
  expect(await attempt(budget, call(1, 60))).toBeObject();
  expect(await attempt(budget, call(1, 60))).toBeNumber();
  expect(await attempt(budget, call(1, 40))).toBeObject();
});

test("calls are made no larger than the budget, and a text that is larger goes when nothing else is counted", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const budget = budgetOf(rig, { tokensPerMinute: 100 });
  expect(budget.capTo({}).maxTokens).toBe(100);
  expect(budget.capTo({ maxTokens: 10 }).maxTokens).toBe(10);
  expect(await attempt(budget, call(500))).toBeObject();
  expect(await attempt(budget, call(1))).toBeNumber();
});

test("the reservation of a worker that died leaves the window by itself", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const budget = budgetOf(rig, { requestsPerMinute: 1, windowMs: 100 }, 200);
  expect(await attempt(budget, call(1))).toBeObject();
  // Nobody settles it. This one waits for as long as it takes.
  const next = await budget.reserve(call(1), new AbortController().signal, () => {});
  expect(next).toBeObject();
});

const damages: [
  string,
  (rig: Rig, client: Awaited<ReturnType<typeof testScope>>["client"]) => Promise<unknown>,
][] = [
  ["another type", (_, client) => client.set(budgetKey("shared"), "rubbish")],
  [
    "rubbish in its fields",
    (_, client) =>
      client.hSet(budgetKey("shared"), {
        "": "",
        "600000 99999999999999 r": "5",
        "600000 1 x": "5",
        "600000 abc r": "5",
        "600000 29000 r": "many",
      }),
  ],
];

test.each(damages)("a budget with %s is set right by the next call", async (_, damage) => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await damage(rig, scope.client);
  const budget = budgetOf(rig, { requestsPerMinute: 1 });
  expect(await attempt(budget, call(1))).toBeObject();
  expect(await attempt(budget, call(1))).toBeNumber();
  const fields = Object.keys(await scope.client.hGetAll(budgetKey("shared")));
  expect(fields.every((field) => /^600000 \d{5,9} [rt]$/.test(field))).toBe(true);
});

test("of a budget that nobody uses any more nothing stays in Redis", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const budget = budgetOf(rig, { requestsPerMinute: 5, windowMs: 1000 });
  await ((await attempt(budget, call(1))) as Reservation).settle(1);
  const ttlMs = await scope.client.pTTL(budgetKey("shared"));
  expect(ttlMs).toBeGreaterThan(0);
  expect(ttlMs).toBeLessThanOrEqual(3000);
});
