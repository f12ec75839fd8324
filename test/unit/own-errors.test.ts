// Errors of a user's own function: what they say counts, and what they carry is not shown.

import { describe, expect, test } from "bun:test";
import { reasonOf } from "../../src/model/scrub.ts";
import { troubleOf } from "../../src/model/trouble.ts";

const errorWith = (message: string, properties: object) =>
  Object.assign(new Error(message), properties);

describe("the message of an error with a status is heard where there is no body", () => {
  const rows: [string, Error, object][] = [
    [
      "too many tokens for a minute",
      errorWith("Request too large for text-embedding-3-small", { status: 429 }),
      { kind: "rejected", exceeded: "tokens" },
    ],
    [
      "no credit",
      errorWith("insufficient balance", { status: 400 }),
      { kind: "fatal", scope: "account" },
    ],
    [
      "a wrong key",
      errorWith("Invalid API key", { statusCode: 400 }),
      { kind: "fatal", scope: "worker" },
    ],
    [
      "a body without words",
      errorWith("Model is currently loading", { status: 400, data: {} }),
      { kind: "unavailable" },
    ],
    [
      "a wait",
      errorWith("Slower: try again in 20s", { status: 429 }),
      { kind: "rateLimited", retryAfterMs: 20_000 },
    ],
  ];
  test.each(rows)("%s", (_, thrown, wanted) => {
    expect(troubleOf(thrown)).toMatchObject(wanted);
  });

  const known: [string, object][] = [
    ["words", { status: 400, data: { error: { message: "Cannot embed this" } } }],
    ["words as text", { response: { status: 400, data: "Cannot embed this" } }],
  ];
  test.each(known)("a body with %s speaks for itself", (_, properties) => {
    const { kind, error } = troubleOf(errorWith("Invalid API key", properties));
    expect({ kind, message: error.message }).toEqual({
      kind: "rejected",
      message: "HTTP 400: Cannot embed this",
    });
  });

  const foreign: [string, Error][] = [
    ["axios, nothing", errorWith("Request failed", { response: { status: 400, data: "" } })],
    ["axios, a page", errorWith("Request failed", { response: { status: 400, data: "<html>" } })],
    ["AI SDK, a page", errorWith("Bad Request", { statusCode: 400, responseBody: "<html>" })],
    ["openai, nothing", errorWith("400 status code (no body)", { status: 400 })],
    ["openai, a page", errorWith("400 <html>Bad Request</html>", { status: 400 })],
  ];
  test.each(foreign)("a body that is not the API's condemns no text: %s", (_, thrown) => {
    Object.assign(thrown, { code: "ERR_BAD_REQUEST" });
    expect(troubleOf(thrown)).toMatchObject({ kind: "fatal", scope: "worker" });
  });
});

describe("the texts of the call", () => {
  const text = "PRIVATE patient record 4711";

  test("are not shown", () => {
    const thrown = errorWith(`400 Invalid input: ${text}`, {
      status: 400,
      error: { message: `Invalid input: ${text}` },
    });
    expect(troubleOf(thrown, { texts: [text] }).error.message).toBe(
      "HTTP 400: Invalid input: <text>",
    );
  });

  test("do not decide", () => {
    const said = "it's said: insufficient balance, as we know";
    const thrown = errorWith(`Cannot embed ${said}`, { status: 400 });
    expect(troubleOf(thrown, { texts: [said] }).kind).toBe("rejected");
  });

  test("stay in an error that nobody knows: its owner needs it as it is", () => {
    const thrown = new Error(`x is undefined for ${text}`);
    expect(troubleOf(thrown, { texts: [text] }).error).toBe(thrown);
  });
});

describe("the reason of a dead letter", () => {
  const text = "PRIVATE patient record 4711";

  test("is one line of at most 500 characters", () => {
    expect(reasonOf(new Error(`bad\n\tline ${"x".repeat(1e6)}`), text)).toHaveLength(500);
    expect(reasonOf(new Error("bad\n\tline"), text)).toBe("bad line");
  });

  test("has neither the text nor what looks like a key", () => {
    const error = new Error(`bad key sk-0123456789 for ${text}`);
    expect(reasonOf(error, text)).toBe("bad key *** for <text>");
    expect(reasonOf(new Error(`cannot: ${text.slice(0, 20)}…`), text)).not.toContain("PRIVATE");
  });

  test("of an error without a message is none", () => {
    expect(reasonOf(new Error(""), text)).toBe("");
    expect(reasonOf(Object.assign(new Error(), { message: { odd: 1 } }), text)).toBe(
      "[object Object]",
    );
  });
});
