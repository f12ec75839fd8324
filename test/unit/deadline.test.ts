// A task with a deadline: it ends with its value, its error, the stop's reason or the late error.

import { expect, test } from "bun:test";
import { withinDeadline } from "../../src/model/deadline.ts";

const late = () => new Error("late");
const never = () => new Promise<never>(() => undefined);
const FAR_MS = 60_000;

/** What the promise rejects with. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test("a task gives its value, or its own error, thrown at once or later", async () => {
  const { signal } = new AbortController();
  const broken = new Error("broken");
  expect(await withinDeadline(() => 1, FAR_MS, signal, late)).toBe(1);
  expect(await withinDeadline(() => Promise.resolve(2), FAR_MS, signal, late)).toBe(2);
  const thrower = () => {
    throw broken;
  };
  expect(await failureOf(withinDeadline(thrower, FAR_MS, signal, late))).toBe(broken);
  const rejecting = () => Promise.reject(broken);
  expect(await failureOf(withinDeadline(rejecting, FAR_MS, signal, late))).toBe(broken);
});

test("a task that never ends is left behind when its time is over, and its signal says why", async () => {
  let seen: AbortSignal | undefined;
  const task = (signal: AbortSignal) => {
    seen = signal;
    return never();
  };
  const error = await failureOf(withinDeadline(task, 1, new AbortController().signal, late));
  expect(error).toEqual(late());
  expect(seen?.reason).toBe(error);
});

test("a raised signal ends the task with its reason, also one that was raised before", async () => {
  const stop = new AbortController();
  let seen: AbortSignal | undefined;
  const task = (signal: AbortSignal) => {
    seen = signal;
    return never();
  };
  const ended = failureOf(withinDeadline(task, FAR_MS, stop.signal, late));
  const reason = new Error("stop");
  stop.abort(reason);
  expect(await ended).toBe(reason);
  expect(seen?.reason).toBe(reason);
  let calls = 0;
  const counting = () => ++calls;
  expect(await failureOf(withinDeadline(counting, FAR_MS, stop.signal, late))).toBe(reason);
  expect(calls).toBe(0);
});

test("what a task does after it was left behind reaches nobody", async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", listen);
  const { promise, reject } = Promise.withResolvers<never>();
  await failureOf(withinDeadline(() => promise, 1, new AbortController().signal, late));
  reject(new Error("after"));
  // Unhandled rejections are told before the next turn.
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", listen);
  expect(unhandled).toEqual([]);
});
