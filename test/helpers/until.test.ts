// Proves the helper that waits for a condition.

import { expect, test } from "bun:test";
import { until } from "./until.ts";

test("until returns the first truthy value, past falsy ones and throws", async () => {
  let looks = 0;
  const value = await until(
    () => {
      looks += 1;
      if (looks === 1) throw new Error("not yet");
      return looks === 3 ? "there" : "";
    },
    { what: "the third look" },
  );
  expect(value).toBe("there");
});

test("until names what it waited for and the last value", async () => {
  const waiting = until(() => 0, { what: "a number", timeoutMs: 20 });
  await expect(waiting).rejects.toThrow("waited 20 ms for a number; last value: 0");
});

test("until shows the last error", async () => {
  const waiting = until(() => Promise.reject(new Error("no route")), { what: "x", timeoutMs: 20 });
  await expect(waiting).rejects.toThrow("no route");
});

test("until bounds a condition that hangs", async () => {
  const waiting = until(() => new Promise(() => {}), { what: "forever", timeoutMs: 20 });
  await expect(waiting).rejects.toThrow("waited 20 ms for forever");
});
