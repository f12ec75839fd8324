// How many provider calls are under way at once.

import { describe, expect, test } from "bun:test";
import { Places } from "../../src/places.ts";
import { isSettled } from "./builders.ts";

/** Calls that the test ends one by one, with a look at which are under way. */
function heldCalls(places: Places) {
  const ends: (() => void)[] = [];
  const started: number[] = [];
  let active = 0;
  let most = 0;
  const use = (i: number) =>
    places.use(async () => {
      started.push(i);
      active++;
      most = Math.max(most, active);
      await new Promise<void>((resolve) => {
        ends[i] = resolve;
      });
      active--;
    });
  return { use, end: (i: number) => ends[i]?.(), started, most: () => most };
}

const nothing = () => {};

describe("use", () => {
  test("use never has more calls under way than there are places, and keeps them busy", async () => {
    const places = new Places(3, nothing);
    const calls = heldCalls(places);
    places.book(10);
    const uses = Array.from({ length: 10 }, (_, i) => calls.use(i));
    expect(calls.started).toEqual([0, 1, 2]);
    for (let i = 0; i < 10; i++) {
      calls.end(i);
      await uses[i];
      await isSettled(Promise.resolve());
      expect(calls.started).toHaveLength(Math.min(10, i + 4));
    }
    expect(calls.most()).toBe(3);
  });

  test("use starts calls in the order in which they came", async () => {
    const places = new Places(1, nothing);
    const order: number[] = [];
    places.book(5);
    const uses = [0, 1, 2, 3, 4].map((i) =>
      places.use(() => {
        order.push(i);
        return Promise.resolve();
      }),
    );
    await Promise.all(uses);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  test("use lets no newcomer slip in before the next in line", async () => {
    const places = new Places(1, nothing);
    const calls = heldCalls(places);
    places.book(3);
    const [first, second] = [calls.use(0), calls.use(1)];
    let third: Promise<void> | undefined;
    // Begins in the very turn in which the first ends.
    const newcomer = first.then(() => {
      third = calls.use(2);
    });
    calls.end(0);
    await newcomer;
    await isSettled(second);
    expect(calls.started).toEqual([0, 1]);
    calls.end(1);
    await second;
    await isSettled(Promise.resolve());
    calls.end(2);
    await third;
    expect(calls.started).toEqual([0, 1, 2]);
    expect(calls.most()).toBe(1);
  });

  test("use hands a failure on, and gives the place back", async () => {
    const places = new Places(1, nothing);
    places.book(2);
    const failing = places.use(() => Promise.reject(new Error("no")));
    let ran = false;
    const next = places.use(() => {
      ran = true;
      return Promise.resolve();
    });
    await expect(failing).rejects.toThrow("no");
    await next;
    expect({ ran, free: places.free }).toEqual({ ran: true, free: 1 });
  });

  test("use gives the place back also where the call throws at once", async () => {
    const places = new Places(1, nothing);
    places.book(1);
    const failing = places.use(() => {
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(places.free).toBe(1);
  });
});

describe("free", () => {
  test("free counts what is booked, not what is under way", async () => {
    const places = new Places(3, nothing);
    expect(places.free).toBe(3);
    places.book(2);
    expect(places.free).toBe(1);
    const calls = heldCalls(places);
    const uses = [calls.use(0), calls.use(1)];
    expect(places.free).toBe(1);
    calls.end(0);
    await uses[0];
    expect(places.free).toBe(2);
    calls.end(1);
    await uses[1];
    expect(places.free).toBe(3);
  });

  test("free falls below zero where more is booked than there is", () => {
    const places = new Places(2, nothing);
    places.book(5);
    expect(places.free).toBe(-3);
  });

  test("onFree is called once for each call, when its place counts as free already", async () => {
    const seen: number[] = [];
    const places: Places = new Places(2, () => seen.push(places.free));
    places.book(3);
    await Promise.all([0, 1, 2].map(() => places.use(() => Promise.resolve())));
    expect(seen).toEqual([0, 1, 2]);
  });
});
