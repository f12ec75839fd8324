// What a queue and a worker refuse before anything is connected, and what they say then.

import { describe, expect, test } from "bun:test";
import {
  EmbeddingQueue,
  EmbeddingWorker,
  type EmbedqError,
  type Outcome,
} from "../../src/index.ts";
import { hashing } from "../../src/providers/index.ts";
import { thrownBy } from "./builders.ts";

const embedder = hashing({ dimensions: 8 });
const doors: [string, (options?: object) => EmbeddingQueue | EmbeddingWorker][] = [
  ["a queue", (options) => new EmbeddingQueue(options as { redis: string })],
  ["a worker", (options) => new EmbeddingWorker(options as { redis: string })],
];

/** The message with which this is refused, as an option that is wrong. */
function refusal(run: () => unknown): string {
  const error = thrownBy(run) as EmbedqError;
  expect(error).toMatchObject({ name: "EmbedqError", code: "ERR_OPTION_INVALID" });
  return error.message;
}

describe.each(doors)("%s", (_, open) => {
  test("is not made without options", () => {
    expect(refusal(() => open())).toBe(
      "Cannot use the options as they must be an object: they are missing",
    );
  });

  test("is not made of an address alone, and does not show it", () => {
    const message = refusal(() => open("redis://:hunter2@x" as unknown as object));
    expect(message).toBe("Cannot use the options as they must be an object: they are a text");
  });

  const addresses: [unknown, string][] = [
    ["localhost:6379", "it has no such beginning"],
    ["me:hunter2@localhost:6379", "it has no such beginning"],
    ["http://me:hunter2@localhost:6379", "it begins with http://"],
    [undefined, "it is missing"],
    [6379, "it is 6379"],
    [null, "it is null"],
  ];
  test.each(addresses)("is not made with %p for Redis", (redis, found) => {
    const message = refusal(() => open({ redis, embedder }));
    expect(message).toContain("`redis` as it must be a URL that begins with redis:// or rediss://");
    expect(message).toEndWith(`: ${found}`);
    expect(message).not.toContain("hunter2");
  });

  test("says of a misspelt `redis` that it is misspelt, not that it is missing", () => {
    expect(refusal(() => open({ Redis: "redis://x", embedder }))).toEndWith(
      "`Redis` as it is not an option: did you mean `redis`?",
    );
  });

  test("lets nobody listen to what never happens", () => {
    const door = open({ redis: "redis://127.0.0.1:1", embedder });
    const message = (event: unknown, listener: unknown) =>
      (thrownBy(() => door.on(event as "text:dead", listener as () => void)) as Error).message;
    expect(message("text:died", () => {})).toBe(
      'Cannot listen to "text:died" as there is no such event: did you mean text:dead?',
    );
    expect(message("constructor", () => {})).toContain("there are worker:started, ");
    expect(message(undefined, () => {})).toContain("there are worker:started, ");
    expect(message("text:dead", "log")).toContain("the listener must be a function");
  });
});

test("a worker is not made without an embedder", () => {
  expect(refusal(() => new EmbeddingWorker({ redis: "redis://x" }))).toContain("`embedder`");
});

test("the type of an outcome says which states have a vector", () => {
  // Checked by the compiler: this would not compile if `embedding` could be undefined.
  const numbers = (outcome: Outcome): number => {
    if (outcome.status === "embedded" || outcome.status === "blank")
      return outcome.embedding.length;
    // @ts-expect-error a dead text may have none
    return outcome.status === "dead" ? outcome.embedding.length : 0;
  };
  const settled = { key: "doc:1", version: 1, superseded: false };
  const embedding = new Float32Array(3);
  expect(numbers({ status: "embedded", ...settled, embedding })).toBe(3);
  expect(numbers({ status: "gone", key: "doc:1" })).toBe(0);
});
