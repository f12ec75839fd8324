// Texts found in what a provider says, in whatever form they came back.

import { describe, expect, test } from "bun:test";
import { withoutTexts } from "../../src/model/echo.ts";

const without = (message: string, ...texts: string[]) => withoutTexts(message, texts, "<text>", 6);

const TEXT = 'Patient 4711 said: "it\'s the left knee"\n\tand C:\\new\\knee.txt tells more of it';

describe("a text is found", () => {
  const forms: [string, string][] = [
    ["as it is", TEXT],
    ["as JSON", JSON.stringify(TEXT).slice(1, -1)],
    ["as JSON in JSON", JSON.stringify(JSON.stringify(TEXT)).slice(3, -3)],
    ["with other blanks", TEXT.replace(/\s+/g, "  \n ")],
    ["without its blanks", TEXT.replace(/\s+/g, "")],
    ["by its first 20 characters", TEXT.slice(0, 20)],
    ["by its last 20 characters", TEXT.slice(-20)],
    ["by a piece from between", TEXT.slice(11, 60)],
  ];
  test.each(forms)("%s", (_, form) => {
    expect(without(`Cannot embed [${form}] now`, TEXT)).toBe("Cannot embed [<text>] now");
  });

  test("in JSON that knows only ASCII", () => {
    const text = "Zażółć gęślą jaźń i 北京 😀";
    const ascii = text.replace(
      /[^\x20-\x7e]/g,
      (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    expect(without(`no: ${ascii}!`, text)).toBe("no: <text>!");
  });

  test("where both ends of it are left, as Python shows long values", () => {
    const shown = `input_value='${TEXT.slice(0, 24)}...${TEXT.slice(-24)}'`;
    expect(without(shown, TEXT)).toBe("input_value='<text>...<text>'");
  });

  test("with half a surrogate pair, as it was sent", () => {
    const text = "a text that was cut in an emoji \ud83d";
    expect(without(`no: ${text.toWellFormed()}.`, text)).toBe("no: <text>.");
  });

  test("of several, each, also where they begin alike", () => {
    const texts = ["Invoice number 1 of the customer Ada", "Invoice number 1 of the customer Bob"];
    expect(without(`first ${texts[1]}, then ${texts[0]}.`, ...texts)).toBe(
      "first <text>, then <text>.",
    );
  });

  test("longer than any message, with what stands behind it", () => {
    const text = `${"A private word or two. ".repeat(2000)}The end`;
    expect(without(`input ${text} is bad`, text)).toBe("input <text> is bad");
    expect(without(`input ${JSON.stringify(text)} is bad`, text)).toBe('input "<text>" is bad');
    expect(without(`input ${text.slice(0, 20_000)}`, text).trim()).toBe("input <text>");
  });
});

describe("what is no text stays", () => {
  test("a short text within a longer word", () => {
    expect(without("Requested tokens: token count of detokenize", "tokens")).toBe(
      "Requested <text>: token count of detokenize",
    );
    expect(without("the tokenset, subtoken and token", "token's")).toBe(
      "the tokenset, subtoken and token",
    );
  });

  test("what is too short to be told from a word, in bytes", () => {
    expect(without("the word", "word")).toBe("the word");
    expect(without("不能处理 北京", "北京")).toBe("不能处理 <text>");
  });

  test("words that a text shares with the provider", () => {
    const message = "This model's maximum context length is 8192 tokens";
    expect(without(message, "What is the maximum context length of a model's input?")).toBe(
      message,
    );
  });

  test.each(["", " \n", "\\", "\ud800"])("of the text %p nothing is found", (text) => {
    expect(without("a \\ message", text)).toBe("a \\ message");
    expect(without("", text)).toBe("");
  });
});

test("thousands of long texts, repetitive ones too, cost little", () => {
  const texts = Array.from({ length: 2000 }, (_, i) => `${i} ${"spam ".repeat(400)}`);
  const begin = performance.now();
  without(`${"spam ".repeat(200_000)} is bad`, ...texts);
  expect(performance.now() - begin).toBeLessThan(3000);
});
