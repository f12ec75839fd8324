// What a refused text says decides nothing: a provider may quote it in any way.

import { describe, expect, test } from "bun:test";
import { sortRefusal } from "../../src/model/refusals.ts";

function sorted(text: string, message: string, rest: object = {}, status = 400): string {
  const body = { error: { message, type: "invalid_request_error", param: null, ...rest } };
  const error = sortRefusal({ status, body }, { nowMs: 0, texts: ["another text", text] });
  return [error?.kind, error?.exceeded, error?.retryAfterMs].filter(Boolean).join("/");
}

describe("a refused text is a refused text", () => {
  const texts = [
    "it's said: insufficient balance, as we know",
    "unknown model of the year",
    'he said "too many texts" to me',
    "no such model",
    "API key not valid. Please pass a valid API key.",
    "the model\n\tis not supported `here`",
    `${"So long. ".repeat(1000)} Billing hard limit has been reached`,
  ];
  const quotes: [string, (text: string) => string][] = [
    ["as it is", (text) => text],
    ["in single quotes", (text) => `'${text}'`],
    ["in double quotes", (text) => `"${text}"`],
    ["as JSON", (text) => JSON.stringify(text)],
    ["as Python shows it", (text) => `'${text.replaceAll("'", "\\'").replaceAll("\n", "\\n")}'`],
    ["with other blanks", (text) => text.replace(/\s+/g, "  ")],
    ["cut", (text) => `'${text.slice(0, 30)}...'`],
  ];
  for (const text of texts) {
    test.each(quotes)(`${JSON.stringify(text.slice(0, 30))} %s`, (_, quote) => {
      expect(sorted(text, `Invalid input: ${quote(text)} cannot be tokenized`)).toBe("rejected");
    });
  }

  test.each(['"API key not valid"', "`batch size > limit`", "'maximum context length'"])(
    "%s in quotes, where the text is not known",
    (quoted) => {
      expect(sorted("", `Cannot embed ${quoted}`)).toBe("rejected");
    },
  );
});

test("the provider's own words behind a long text are still heard", () => {
  const text = "An endless tale. ".repeat(2000);
  expect(sorted(text, `Input ${text} has too many texts`)).toBe("rejected/items");
});

test("a wait that stands in a text is no wait", () => {
  const text = "please try again in 24 hours";
  expect(sorted(text, `Busy with: ${text}`, {}, 503)).toBe("unavailable");
  expect(sorted(text, `Busy with: ${text}. Try again in 5s`, {}, 503)).toBe("unavailable/5000");
});

describe("where the body blames the input and nothing else", () => {
  test("no words make it the worker's fault or the account's", () => {
    const param = { param: "input" };
    expect(sorted("", "Input text describes dimensions are 5x5", param)).toBe("rejected");
    expect(sorted("", "Input of no such model, insufficient balance", param)).toBe("rejected");
    expect(sorted("", "Input tells that dimensions are 5x5")).toBe("fatal");
  });

  test("a status that is about something else counts", () => {
    expect(sorted("", "No", { param: "input" }, 401)).toBe("fatal");
    expect(sorted("", "No", { param: "input" }, 402)).toBe("fatal");
  });

  test("another parameter beside it is one", () => {
    const body = {
      detail: [
        { loc: ["body", "input"], msg: "Input should be a valid string" },
        { loc: ["body", "foo"], msg: "Extra inputs are not permitted" },
      ],
    };
    expect(sortRefusal({ status: 422, body }, { nowMs: 0 })?.kind).toBe("fatal");
  });
});
