// The errors that leave embedq.

import { describe, expect, test } from "bun:test";
import {
  asError,
  EmbedderError,
  EmbedqError,
  EnqueueError,
  messageOf,
} from "../../src/model/errors.ts";

const ERRORS = new URL("../../src/model/errors.ts", import.meta.url).pathname;
const cause = new Error("the reason");

test("EmbedqError carries code, name, message and cause", () => {
  const error = new EmbedqError("ERR_STOPPED", "Cannot go on", { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    code: "ERR_STOPPED",
    name: "EmbedqError",
    message: "Cannot go on",
  });
  expect(error.cause).toBe(cause);
  expect(String(error)).toBe("EmbedqError: Cannot go on");
});

test("EmbedqError has no cause where none is given", () => {
  expect("cause" in new EmbedqError("ERR_STOPPED", "x")).toBe(false);
});

test("errors of another copy of embedq are known by their class, and by no other", async () => {
  const copy = (await import(`${ERRORS}?copy`)) as typeof import("../../src/model/errors.ts");
  expect(copy.EmbedderError).not.toBe(EmbedderError);
  const foreign = new copy.EmbedderError("rateLimited", "slow down");
  expect(foreign).toBeInstanceOf(EmbedderError);
  expect(foreign).toBeInstanceOf(EmbedqError);
  expect(new copy.EmbedqError("ERR_STOPPED", "x")).not.toBeInstanceOf(EmbedderError);
  expect(foreign).not.toBeInstanceOf(EnqueueError);
  class Own extends EmbedderError {}
  expect(foreign).not.toBeInstanceOf(Own);
  expect(new Own("fatal", "x")).toBeInstanceOf(Own);
  for (const other of [undefined, null, "EmbedderError", new Error("x")]) {
    expect(other).not.toBeInstanceOf(EmbedqError);
  }
});

test("EmbedderError carries kind, time, scope and cause", () => {
  const error = new EmbedderError("fatal", "no credit", {
    retryAfterMs: 5,
    scope: "account",
    cause,
  });
  expect(error).toBeInstanceOf(EmbedqError);
  expect(error).toMatchObject({
    name: "EmbedderError",
    code: "ERR_EMBEDDER",
    kind: "fatal",
    retryAfterMs: 5,
    scope: "account",
  });
  expect(error.cause).toBe(cause);
});

test("EmbedderError concerns the worker and names no time where nothing is said", () => {
  expect(new EmbedderError("unavailable", "x")).toMatchObject({
    retryAfterMs: undefined,
    scope: "worker",
  });
});

test("EmbedderError refuses a kind that does not exist, and names those that do", () => {
  const make = () => new EmbedderError("fatel" as "fatal", "no credit");
  expect(make).toThrow(
    'kind must be one of "rejected", "rateLimited", "unavailable", "fatal": it is "fatel". Its message was: no credit',
  );
});

test("EnqueueError tells how far it came, and carries the tickets", () => {
  const tickets = [{ key: "doc:1", version: 7 }];
  const error = new EnqueueError(3, tickets, cause);
  expect(error).toBeInstanceOf(EmbedqError);
  expect(error).toMatchObject({ name: "EnqueueError", code: "ERR_ENQUEUE_FAILED", tickets, cause });
  expect(error.message).toBe("Cannot enqueue all 3 items as it failed after 1: the reason");
});

describe("anything that was thrown", () => {
  test("asError leaves an Error as it is", () => {
    expect(asError(cause)).toBe(cause);
  });

  const values: [unknown, string][] = [
    ["words", "words"],
    [undefined, "undefined"],
    [null, "null"],
    [Symbol("s"), "Symbol(s)"],
    [5n, "5"],
  ];
  test.each(values)("asError makes an Error of %p", (value, message) => {
    expect(asError(value)).toBeInstanceOf(Error);
    expect(asError(value).message).toBe(message);
    expect(messageOf(value)).toBe(message);
  });

  test("asError and messageOf never throw, not even for what has no text", () => {
    const hostile = {
      toString() {
        throw new Error("no text");
      },
    };
    for (const value of [Object.create(null), hostile]) {
      expect(asError(value)).toBeInstanceOf(Error);
      expect(typeof messageOf(value)).toBe("string");
    }
  });

  test("messageOf gives an Error's message", () => {
    expect(messageOf(cause)).toBe("the reason");
  });
});
