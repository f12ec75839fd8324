// The digest by which an unchanged text is recognised.

import { expect, test } from "bun:test";
import { scriptSha, sourceDigest } from "../../src/model/digest.ts";
import { spaceTag } from "../../src/model/settings.ts";

const space = { model: "m", dimensions: 3, task: "" };

test("sourceDigest is the same everywhere and for ever: stored ones are compared with it", () => {
  expect(sourceDigest(space, "hello")).toBe("8535d9971931c4f5b35185c8042a59a0");
  expect(sourceDigest({ model: "m", dimensions: 3, task: "" }, "hello")).toBe(
    sourceDigest(space, "hello"),
  );
});

test("sourceDigest depends on model, dimensions, task and text", () => {
  const digests = [
    sourceDigest(space, "hello"),
    sourceDigest({ ...space, model: "n" }, "hello"),
    sourceDigest({ ...space, dimensions: 4 }, "hello"),
    sourceDigest({ ...space, task: "query" }, "hello"),
    sourceDigest(space, "hello "),
    sourceDigest(space, ""),
    sourceDigest(space, "\u00e9"),
    sourceDigest(space, "e\u0301"),
  ];
  expect(new Set(digests).size).toBe(digests.length);
});

test("sourceDigest takes no part of one field for another", () => {
  const digests = [
    sourceDigest({ model: "m", dimensions: 1, task: "" }, "2\nx"),
    sourceDigest({ model: "m", dimensions: 12, task: "" }, "\nx"),
    sourceDigest({ model: "m1", dimensions: 2, task: "" }, "\nx"),
    sourceDigest({ model: "m", dimensions: 1, task: "2" }, "x"),
    sourceDigest({ model: "m", dimensions: 1, task: "" }, "\n2\nx"),
    sourceDigest({ model: "m", dimensions: 1, task: "2x" }, ""),
    sourceDigest({ model: "m", dimensions: 1, task: "" }, "2x"),
    sourceDigest({ model: "m", dimensions: 1, task: "" }, "2x\n"),
  ];
  expect(new Set(digests).size).toBe(digests.length);
});

test("spaceTag is empty for an unknown space, and sets the fields apart", () => {
  expect(spaceTag(undefined)).toBe("");
  expect(spaceTag({ model: "m", dimensions: 3, task: "t" })).toBe("m\n3\nt");
});

test("scriptSha is the SHA-1 by which Redis names a script", () => {
  expect(scriptSha("return 1")).toBe("e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
});
