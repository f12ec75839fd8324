// Complaint 7: base64 and floats are taken for one another: vectors a quarter of their size, or none.

import { expect, test } from "bun:test";
import { items, testScope } from "../helpers/scope.ts";
import type { Fault } from "../providers/servers/loopback.ts";
import { bytesOf, EDGES, numbersOf } from "../providers/servers/numbers.ts";
import { startOpenAI } from "../providers/servers/openai.ts";
import { expectOwnVectors, SIZE, textsOf, wireServer, withData } from "../providers/wire.ts";

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

/** The reply with another form of each vector, made of its numbers. */
function inForm(form: (numbers: number[]) => unknown, texts: () => readonly string[]): Fault {
  return withData((data) =>
    data.map((item, i) => ({
      ...item,
      embedding: form(numbersOf(texts()[i] ?? "", SIZE, EDGES)),
    })),
  );
}

const understood: [string, "base64" | "float" | undefined, (numbers: number[]) => unknown][] = [
  ["floats where base64 was asked for", "base64", (numbers) => numbers],
  ["base64 where floats were asked for", "float", (numbers) => base64(bytesOf(numbers))],
  ["base64 where nothing was asked for", undefined, (numbers) => base64(bytesOf(numbers))],
  [
    "base64 without its padding",
    "base64",
    (numbers) => base64(bytesOf(numbers)).replace(/=+$/, ""),
  ],
];

test.each(understood)("complaint 7: %s is understood", async (_, encodingFormat, form) => {
  await using scope = await testScope();
  await using server = await startOpenAI();
  server.always(inForm(form, () => textsOf(server)));
  const embedder = wireServer(server, { encodingFormat });
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  await queue.enqueueMany(items(20));
  await scope.untilEmpty();
  expect(server.received).toHaveLength(1);
  expect(await queue.deadLetters()).toEqual([]);
  await expectOwnVectors(scope, items(20));
});

const WANTED = `${SIZE * 4} bytes`;
const broken: [string, (numbers: number[]) => unknown, string][] = [
  // The bytes taken for numbers, or the numbers for bytes.
  ["four numbers for each", (numbers) => [...bytesOf(numbers)], WANTED],
  ["a quarter of the numbers", (numbers) => numbers.slice(SIZE / 4), WANTED],
  ["base64 of a quarter", (numbers) => base64(bytesOf(numbers.slice(0, SIZE / 4))), "in base64"],
  [
    "base64 of doubles",
    (numbers) => base64(new Uint8Array(new Float64Array(numbers).buffer)),
    "in base64",
  ],
  [
    "base64 of JSON",
    (numbers) => Buffer.from(JSON.stringify(numbers)).toString("base64"),
    "base64",
  ],
  ["numbers as one text", (numbers) => JSON.stringify(numbers), "in base64"],
  ["numbers as texts", (numbers) => numbers.map(String), "finite numbers"],
  ["a hole", (numbers) => numbers.map((number, i) => (i === 3 ? null : number)), "finite numbers"],
  ["nothing", () => null, "or base64, for each text"],
  ["an empty text", () => "", "in base64"],
];

test.each(broken)(
  "complaint 7: %s in the place of a vector is an error that says so, and nothing is stored",
  async (_, form, reason) => {
    await using scope = await testScope();
    await using server = await startOpenAI();
    server.always(inForm(form, () => textsOf(server)));
    const options = { maxAttempts: 1, flushIntervalMs: 0, onDead: "unset" } as const;
    const queue = await scope.queue({ embedder: wireServer(server), ...options });
    await queue.enqueueMany(items(3));
    await scope.untilEmpty();
    const letters = await queue.deadLetters();
    expect(letters).toHaveLength(3);
    for (const letter of letters) expect(letter.reason).toContain(reason);
    for (const { key } of items(3)) expect(await scope.vector(key)).toBeUndefined();
  },
);
