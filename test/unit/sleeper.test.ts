// What wakes a worker, and what sends it back to sleep.

import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import { Sleeper } from "../../src/sleeper.ts";
import { until } from "../helpers/until.ts";
import { isSettled } from "./builders.ts";

/** A sleep of this length ends by its event, or the test hangs. */
const FOR_EVER_MS = Number.POSITIVE_INFINITY;

afterEach(() => {
  mock.restore();
});

function sleeperOf() {
  const stop = new AbortController();
  return { sleeper: new Sleeper(stop.signal), stop };
}

describe("a worker alone", () => {
  test("sleeps until a ring", async () => {
    const { sleeper } = sleeperOf();
    const sleeping = sleeper.sleep(FOR_EVER_MS, sleeper.mark(), 1);
    expect(await isSettled(sleeping)).toBe(false);
    sleeper.ring();
    await sleeping;
  });

  test("does not lose a ring between the mark and the sleep", async () => {
    const { sleeper } = sleeperOf();
    const mark = sleeper.mark();
    sleeper.ring();
    await sleeper.sleep(FOR_EVER_MS, mark, 1);
  });

  test("does not wake for a ring before the mark: the claim has seen its work", async () => {
    const { sleeper } = sleeperOf();
    sleeper.ring();
    const sleeping = sleeper.sleep(FOR_EVER_MS, sleeper.mark(), 1);
    expect(await isSettled(sleeping)).toBe(false);
    sleeper.ring();
    await sleeping;
  });

  test("sleeps again after every ring", async () => {
    const { sleeper } = sleeperOf();
    for (let night = 0; night < 3; night++) {
      const sleeping = sleeper.sleep(FOR_EVER_MS, sleeper.mark(), 1);
      expect(await isSettled(sleeping)).toBe(false);
      sleeper.ring();
      sleeper.ring();
      await sleeping;
    }
  });

  test("wakes when the time is over", async () => {
    const { sleeper } = sleeperOf();
    await sleeper.sleep(1, sleeper.mark(), 1);
  });

  test("does not sleep for no time, nor for less", async () => {
    const { sleeper } = sleeperOf();
    await sleeper.sleep(0, sleeper.mark(), 1);
    await sleeper.sleep(-5, sleeper.mark(), 1);
  });

  test("looks again after a minute at the latest, whatever it was told", async () => {
    const { sleeper } = sleeperOf();
    let nowMs = 0;
    spyOn(performance, "now").mockImplementation(() => nowMs);
    const timer = spyOn(globalThis, "setTimeout");
    const sleeping = sleeper.sleep(FOR_EVER_MS, sleeper.mark(), 1);
    expect(timer.mock.calls.map(([, ms]) => ms)).toEqual([60_000]);
    nowMs = 60_000;
    sleeper.taken();
    sleeper.ring();
    await sleeping;
  });
});

describe("what ends every sleep", () => {
  test("a nudge, before the sleep or during it", async () => {
    const { sleeper } = sleeperOf();
    const mark = sleeper.mark();
    sleeper.nudge();
    await sleeper.sleep(FOR_EVER_MS, mark, 5);
    const sleeping = sleeper.sleep(FOR_EVER_MS, sleeper.mark(), 5);
    expect(await isSettled(sleeping)).toBe(false);
    sleeper.nudge();
    await sleeping;
  });

  test("a stop, before the sleep or during it", async () => {
    const { sleeper, stop } = sleeperOf();
    const sleeping = sleeper.sleep(FOR_EVER_MS, sleeper.mark(), 5);
    expect(await isSettled(sleeping)).toBe(false);
    stop.abort();
    await sleeping;
    await sleeper.sleep(FOR_EVER_MS, sleeper.mark(), 5);
  });

  test("a stop before there was a sleeper", async () => {
    const sleeper = new Sleeper(AbortSignal.abort());
    await sleeper.sleep(FOR_EVER_MS, sleeper.mark(), 1);
  });

  test("a stop or a nudge while the worker lets others go first", async () => {
    for (const end of ["stop", "nudge"] as const) {
      const { sleeper, stop } = sleeperOf();
      const mark = sleeper.mark();
      sleeper.ring();
      const sleeping = sleeper.sleep(FOR_EVER_MS, mark, 5);
      sleeper.taken();
      if (end === "stop") stop.abort();
      else sleeper.nudge();
      await sleeping;
    }
  });
});

describe("one worker among several", () => {
  test("wakes for a ring that no other has served", async () => {
    const { sleeper } = sleeperOf();
    const mark = sleeper.mark();
    sleeper.ring();
    await sleeper.sleep(FOR_EVER_MS, mark, 2);
  });

  test("goes back to sleep where another has taken what was rung for, and hears the next ring", async () => {
    const { sleeper } = sleeperOf();
    const mark = sleeper.mark();
    sleeper.ring();
    const clock = spyOn(performance, "now");
    let isAwake = false;
    const sleeping = sleeper.sleep(FOR_EVER_MS, mark, 2).then(() => {
      isAwake = true;
    });
    sleeper.taken();
    const looks = clock.mock.calls.length;
    // It looks at the clock again only to go back to sleep.
    await until(() => isAwake || clock.mock.calls.length > looks, { what: "the second sleep" });
    expect(isAwake).toBe(false);
    sleeper.ring();
    await sleeping;
  });

  test("does not take what was taken before the ring for an answer to it", async () => {
    const { sleeper } = sleeperOf();
    sleeper.taken();
    const mark = sleeper.mark();
    sleeper.taken();
    sleeper.ring();
    await sleeper.sleep(FOR_EVER_MS, mark, 2);
  });

  test("lets others go first for a hundred milliseconds at most, however many they are", async () => {
    const { sleeper } = sleeperOf();
    spyOn(Math, "random").mockReturnValue(1);
    const timer = spyOn(globalThis, "setTimeout");
    const mark = sleeper.mark();
    sleeper.ring();
    const sleeping = sleeper.sleep(FOR_EVER_MS, mark, 1000);
    expect(timer.mock.calls.map(([, ms]) => ms)).toEqual([100]);
    sleeper.nudge();
    await sleeping;
  });
});
