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

test("a worker without a limit for a window counts there for those that have one", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const [minutely, daily] = [
    budgetOf(rig, { requestsPerMinute: 2 }),
    budgetOf(rig, { tokensPerDay: 20 }),
  ];
  expect(await attempt(minutely, call(15))).toBeObject();
  expect(await attempt(daily, call(10))).toBeNumber();
  expect(await attempt(daily, call(5))).toBeObject();
  expect(await attempt(minutely, call(1))).toBeNumber();
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

test("the reservation of a worker whose calls take longer than an hour stands, whoever asks", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const limits = { requestsPerMinute: 1 };
  const long = await attempt(budgetOf(rig, limits, 7_200_000), call(1));
  expect(long).toBeObject();
  expect(await attempt(budgetOf(rig, limits), call(1))).toBeNumber();
  await (long as Reservation).release();
  expect(await attempt(budgetOf(rig, limits), call(1))).toBeObject();
});

test("what is reserved follows what the provider reports, and is never less than the estimate", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const reservedBy = async (budget: RateBudget, tokens: number) => {
    const reservation = (await attempt(budget, call(tokens))) as Reservation;
    const fields = Object.entries(await scope.client.hGetAll(budgetKey("shared")));
    await reservation.release();
    return fields
      .filter(([field]) => /^600000 .* t$/.test(field))
      .reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const reports = async (...reported: number[]) => {
    const budget = budgetOf(rig, {});
    for (const tokens of reported) {
      await ((await attempt(budget, call(100))) as Reservation).settle(tokens);
    }
    await scope.client.del(budgetKey("shared"));
    return reservedBy(budget, 10);
  };
  expect(await reports()).toBe(10);
  expect(await reports(300)).toBe(30);
  expect(await reports(100, 300, 300, 300)).toBeWithin(26, 31);
  expect(await reports(50, 0)).toBe(10);
  // Beyond what any provider counts; a few good reports outweigh it.
  expect(await reports(1e12)).toBe(100_000);
  expect(await reports(1e12, ...new Array<number>(20).fill(100))).toBe(11);
});

test("a report that is no number of tokens leaves what was reserved", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const budget = budgetOf(rig, { tokensPerMinute: 100 });
  for (const tokens of [1e300, Number.NaN, -1]) {
    await ((await attempt(budget, call(30))) as Reservation).settle(tokens);
  }
  expect(await attempt(budget, call(20))).toBeNumber();
  expect(await attempt(budget, call(10))).toBeObject();
});

test("out of memory nothing is reserved, and a settle leaves the reservation", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const budget = budgetOf(rig, { requestsPerMinute: 2, tokensPerMinute: 100 });
  const reservation = (await attempt(budget, call(30))) as Reservation;
  const before = await scope.client.hGetAll(budgetKey("shared"));
  await scope.client.configSet("maxmemory", "1");
  await expect(attempt(budget, call(1))).rejects.toThrow("OOM");
  await expect(reservation.settle(10)).rejects.toThrow("OOM");
  await scope.client.configSet("maxmemory", "0");
  expect(await scope.client.hGetAll(budgetKey("shared"))).toEqual(before);
  await reservation.settle(10);
  expect(await attempt(budget, call(90))).toBeObject();
});

/** A field of the window as it stands at this distance from now. */
async function fieldAt(rig: Rig, what: "r" | "t", aheadMs: number) {
  const part = Math.floor(((await rig.nowUs()) / 1000 + aheadMs) / 10_000);
  return `600000 ${part} ${what}`;
}

test("counters from before the clock stepped back are removed, and the key expires", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const ahead = [3_600_000, 200_000, 86_400_000];
  for (const aheadMs of ahead) {
    const field = await fieldAt(rig, "r", aheadMs);
    await scope.client.hSet(budgetKey("shared"), { [field]: "5", hold: "100000" });
    const budget = budgetOf(rig, { requestsPerMinute: 5 });
    expect(await attempt(budget, call(1))).toBeObject();
    expect(await scope.client.hExists(budgetKey("shared"), field)).toBe(false);
    await scope.client.del(budgetKey("shared"));
  }
});

test("a key without an expiry gets one, also from those that find no room", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const key = budgetKey("shared");
  const budget = budgetOf(rig, { requestsPerMinute: 1 });
  const reservation = await attempt(budget, call(1));
  await scope.client.persist(key);
  expect(await attempt(budget, call(1))).toBeNumber();
  expect(await scope.client.pTTL(key)).toBeGreaterThan(0);
  await scope.client.persist(key);
  await (reservation as Reservation).settle(1);
  expect(await scope.client.pTTL(key)).toBeGreaterThan(0);
});

test("a settle whose counters hold rubbish counts the call and takes its reservation away", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const budget = budgetOf(rig, { requestsPerMinute: 2, tokensPerMinute: 100 }, 60_000);
  const reservation = (await attempt(budget, call(80))) as Reservation;
  // The next part as well: the moment may pass into it.
  for (const aheadMs of [0, 10_000]) {
    const fields = [await fieldAt(rig, "r", aheadMs), await fieldAt(rig, "t", aheadMs)];
    for (const field of fields) await scope.client.hSet(budgetKey("shared"), field, "many");
  }
  await reservation.settle(50);
  expect(await attempt(budget, call(60))).toBeNumber();
  expect(await attempt(budget, call(50))).toBeObject();
  expect(await attempt(budget, call(1))).toBeNumber();
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
        "0 5 r": "5",
        "99999999999 1 r": "5",
        hold: "9007199254740991",
      }),
  ],
];

test.each(["many", "0x10", "1e3", "1e400", "9007199254740992", "9223372036854775807", "-5", "0"])(
  "a counter of %p is none",
  async (count) => {
    await using scope = await testScope();
    await using rig = await openRig(scope);
    for (const aheadMs of [0, 1000, 11_000]) {
      await scope.client.hSet(budgetKey("shared"), await fieldAt(rig, "r", aheadMs), count);
    }
    const budget = budgetOf(rig, { requestsPerMinute: 1 });
    expect(await attempt(budget, call(1))).toBeObject();
    expect(await attempt(budget, call(1))).toBeNumber();
  },
);

test.each(damages)("a budget with %s is set right by the next call", async (_, damage) => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await damage(rig, scope.client);
  const budget = budgetOf(rig, { requestsPerMinute: 1 });
  expect(await attempt(budget, call(1))).toBeObject();
  expect(await attempt(budget, call(1))).toBeNumber();
  const { hold, ...counters } = await scope.client.hGetAll(budgetKey("shared"));
  expect(hold).toBe("1000");
  const isOurs = (field: string) => /^(600000 \d{9}|86400000 \d{7}) [rt]$/.test(field);
  expect(Object.keys(counters).filter((field) => !isOurs(field))).toEqual([]);
});

test("of a budget that nobody uses any more nothing stays in Redis", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const budget = budgetOf(rig, { requestsPerMinute: 5, windowMs: 1000 });
  await ((await attempt(budget, call(1))) as Reservation).settle(1);
  const ttlMs = await scope.client.pTTL(budgetKey("shared"));
  expect(ttlMs).toBeGreaterThan(0);
  // A day and two of its sixtieths.
  expect(ttlMs).toBeLessThanOrEqual(62 * 1_440_000 + 1000);
});
