// Refusals of which the body says little, or nothing, or is not the API's; and what is shown of any.

import { describe, expect, test } from "bun:test";
import { sortRefusal } from "../../src/model/refusals.ts";
import { openAI, sorted } from "./bodies.ts";

describe("by status, where the body says nothing", () => {
  const statuses: [number, string][] = [
    [400, "rejected"],
    [401, "fatal"],
    [402, "fatal/account"],
    [403, "fatal"],
    [404, "fatal"],
    [405, "fatal"],
    [408, "unavailable"],
    [409, "unavailable"],
    [413, "rejected/bytes"],
    [422, "rejected"],
    [424, "unavailable"],
    [425, "unavailable"],
    [429, "rateLimited"],
    [500, "unavailable"],
    [501, "fatal"],
    [502, "unavailable"],
    [503, "unavailable"],
    [504, "unavailable"],
    [524, "unavailable"],
    [529, "unavailable"],
    [307, "fatal"],
    [200, "nothing"],
  ];
  test.each(statuses)("HTTP %i is %s", (status, wanted) => {
    expect(sorted(status)).toBe(wanted);
    // Neither is the API's word that a text is bad.
    const foreign = status === 400 || status === 422 ? "fatal" : wanted;
    expect(sorted(status, "<html><body>Error</body></html>")).toBe(foreign);
    expect(sorted(status, "")).toBe(foreign);
  });

  test.each([412, 418, 420, 423, 428, 431, 440, 451])(
    "HTTP %i, of which nobody knows what it means here, condemns no text",
    (status) => {
      expect(sorted(status)).toBe("fatal");
      expect(sorted(status, openAI("Computer says no"))).toBe("fatal");
    },
  );

  test.each([400, 406, 414, 422])("HTTP %i in the API's own words condemns a text", (status) => {
    expect(sorted(status, "Bad Request")).toBe("rejected");
    expect(sorted(status, { result: "odd" })).toBe("rejected");
    expect(sorted(status, { error: { message: "" } })).toBe("rejected");
  });

  test("a page that a router puts into its own words is not the router's page", () => {
    const metadata = { raw: "<html>no</html>" };
    expect(sorted(400, { error: { message: "Provider returned error", metadata } })).toBe(
      "rejected",
    );
    expect(sorted(400, { error: "<html>no</html>" })).toBe("fatal");
  });
});

describe("errors with status 200", () => {
  const rows: [string, unknown, string][] = [
    ["402", { error: { code: 402, message: "Insufficient credits" } }, "fatal/account"],
    ["429", { error: { code: 429, message: "Rate limited" } }, "rateLimited"],
    ["502 as text", { error: { code: "502", message: "Provider returned error" } }, "unavailable"],
    ["words", { error: { status: "UNAVAILABLE", message: "later" } }, "unavailable"],
    ["no status at all", { error: { message: "odd", code: "server_error" } }, "unavailable"],
    ["words alone", { error: "Model is loading" }, "unavailable"],
    ["words for no credit", { error: { message: "Insufficient credits" } }, "fatal/account"],
    [
      "words for a text that is too long",
      { error: { message: "This model's maximum context length is 512 tokens" } },
      "rejected/text",
    ],
    [
      "a type in the place of a status",
      openAI("Cannot embed this text", { param: "input" }),
      "rejected",
    ],
    ["an empty error", { error: "", data: [] }, "nothing"],
    ["no error", { error: false, data: [] }, "nothing"],
    ["an error without anything in it", { error: { message: null, code: 0 } }, "nothing"],
    ["an empty object", { error: {} }, "nothing"],
    ["null", { error: null }, "nothing"],
  ];
  test.each(rows)("%s", (_, body, wanted) => {
    expect(sorted(200, body)).toBe(wanted);
  });
});

describe("bodies from anywhere", () => {
  test("a body without end is read only so far", () => {
    let deep: unknown = "end";
    for (let i = 0; i < 10_000; i++) deep = { error: deep };
    expect(sorted(503, deep)).toBe("unavailable");
    const wide = { errors: Array.from({ length: 100_000 }, () => ({ message: "x" })) };
    expect(sorted(503, wide)).toBe("unavailable");
    const round: Record<string, unknown> = { message: "round" };
    round["error"] = round;
    expect(sorted(503, round)).toBe("unavailable");
  });

  const nothing = [null, 42, true, [], "", "{", new Uint8Array(3)].map((body) => ({ body }));
  test.each(nothing)("$body says nothing", ({ body }) => {
    expect(sorted(503, body)).toBe("unavailable");
  });
});

describe("the message", () => {
  const message = (status: number, body: unknown, rest: object = {}) =>
    sortRefusal({ status, body }, { nowMs: 0, ...rest })?.message;

  test("has the status, the code and the provider's own words", () => {
    const body = openAI("Too slow", { code: "rate_limit_exceeded" });
    expect(message(429, body)).toBe("HTTP 429 rate_limit_exceeded: Too slow");
  });

  test("is the status where the body says nothing, or is a page of a gateway", () => {
    expect(message(502, "<html>bad gateway</html>")).toBe("HTTP 502");
    expect(message(502, undefined, { fallback: "HTTP 502" })).toBe("HTTP 502");
  });

  test("shows neither the key nor a text, and is short", () => {
    const text = "the secret life of a text";
    const body = openAI(`Bad key sk-abcdef123 or my-own-key for ${text} ${"x".repeat(1000)}`);
    const shown = message(400, body, { secrets: ["my-own-key"], texts: [text] }) ?? "";
    expect(shown).toContain("Bad key *** or *** for <text>");
    expect(shown).toHaveLength(500);
  });

  test("has no code that is a key or a text", () => {
    const secret = "Zq7verysecretkey0123456789";
    const text = "a-single-but-private-word";
    const shown = (code: string) =>
      message(400, openAI("No", { code }), { secrets: [secret], texts: [text] });
    expect(shown(secret)).toBe("HTTP 400 invalid_request_error: No");
    expect(shown(text)).toBe("HTTP 400 invalid_request_error: No");
    expect(shown("bad_input")).toBe("HTTP 400 bad_input: No");
  });
});
