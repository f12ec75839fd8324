// Which options are taken, which are refused, and what the refusal says.

import { describe, expect, test } from "bun:test";
import type { Embedder, EmbedFunction } from "../../src/model/embedder.ts";
import { EmbedqError } from "../../src/model/errors.ts";
import { checkSettings, resolveOptions } from "../../src/model/options.ts";
import { hashing } from "../../src/providers/hashing.ts";
import { embedderOf, thrownBy } from "./builders.ts";

const embed: EmbedFunction = (texts) => Promise.resolve(texts.map(() => [1]));

/** The message with which these options are refused. */
function refusal(options: unknown): string {
  const error = thrownBy(() => resolveOptions(options as object));
  expect(error).toBeInstanceOf(EmbedqError);
  expect((error as EmbedqError).code).toBe("ERR_OPTION_INVALID");
  return (error as EmbedqError).message;
}

describe("defaults", () => {
  test("resolveOptions fills in the documented defaults", () => {
    expect(resolveOptions({})).toMatchObject({
      name: "embed_queue",
      commandTimeoutMs: 10_000,
      onMissing: "create",
      concurrency: 4,
      embedTimeoutMs: 60_000,
      stopTimeoutMs: 10_000,
      backoff: { baseMs: 1000, factor: 2, maxMs: 30_000 },
      cooldown: { baseMs: 1000, maxMs: 60_000 },
      onDead: "zero",
      skipUnchanged: true,
      notifications: "auto",
    });
  });

  test("resolveOptions asks for no setting that is not given: it is adopted from the queue", () => {
    const { asked, embedder } = resolveOptions({});
    expect(embedder).toBeUndefined();
    expect(Object.values(asked).every((value) => value === undefined)).toBe(true);
  });

  test("resolveOptions takes undefined as left out, also inside", () => {
    const undefinedEverywhere = {
      name: undefined,
      leaseMs: undefined,
      embedder: undefined,
      backoff: { baseMs: undefined, factor: 3 },
      cooldown: undefined,
    };
    expect(resolveOptions(undefinedEverywhere)).toMatchObject({
      name: "embed_queue",
      backoff: { baseMs: 1000, factor: 3, maxMs: 30_000 },
      cooldown: { baseMs: 1000, maxMs: 60_000 },
    });
  });

  test("resolveOptions asks for the settings that are given", () => {
    const settings = {
      maxBatchSize: 7,
      flushIntervalMs: 0,
      leaseMs: 50,
      maxAttempts: 1,
      maxDeadLetters: 5,
      field: "vector",
    };
    expect(resolveOptions(settings).asked).toMatchObject(settings);
  });
});

describe("refusals", () => {
  const cases: [string, unknown, string, string][] = [
    ["maxBatchSize", 0, "0", "at least 1"],
    ["maxBatchSize", 100_001, "100001", "at most 100000"],
    ["maxBatchSize", 1.5, "1.5", "a whole number from 1"],
    ["maxBatchSize", "50", '"50"', "a whole number from 1"],
    ["flushIntervalMs", -1, "-1", "at least 0"],
    ["flushIntervalMs", Number.NaN, "NaN", "a whole number from 0"],
    ["leaseMs", 49, "49", "at least 50"],
    ["leaseMs", Number.POSITIVE_INFINITY, "Infinity", "a whole number from 50"],
    ["maxAttempts", 0, "0", "at least 1"],
    ["maxAttempts", 3n, "3", "a whole number from 1"],
    ["maxDeadLetters", 0, "0", "at least 1"],
    ["maxDeadLetters", null, "null", "a whole number from 1"],
    ["field", "", '""', "a name without line breaks"],
    ["field", "a\nb", '"a\\nb"', "a name without line breaks"],
    ["model", "", '""', "a name without line breaks"],
    ["model", "a\nb", '"a\\nb"', "a name without line breaks"],
    ["model", 5, "5", "a name without line breaks"],
    ["dimensions", 0, "0", "at least 1"],
    ["dimensions", 65_537, "65537", "at most 65536"],
    ["task", "a\nb", '"a\\nb"', "a name without line breaks"],
    ["name", "", '""', "a name without braces and line breaks"],
    ["name", "a{b}", '"a{b}"', "a name without braces and line breaks"],
    ["name", Symbol("x"), "Symbol(x)", "a name without braces and line breaks"],
    ["commandTimeoutMs", 0, "0", "at least 1"],
    ["commandTimeoutMs", 2 ** 31, "2147483648", "at most 2147483647"],
    ["onMissing", "drop", '"drop"', 'one of "create", "skip"'],
    ["concurrency", 0, "0", "at least 1"],
    ["concurrency", 10_001, "10001", "at most 10000"],
    ["embedTimeoutMs", 0, "0", "at least 1"],
    ["embedTimeoutMs", 2 ** 31, "2147483648", "at most 2147483647"],
    ["stopTimeoutMs", -1, "-1", "at least 0"],
    ["stopTimeoutMs", 2 ** 31, "2147483648", "at most 2147483647"],
    ["backoff", 5, "5", "an object"],
    ["cooldown", null, "null", "an object"],
    ["onDead", "keep", '"keep"', 'one of "zero", "unset"'],
    ["skipUnchanged", 1, "1", "true or false"],
    ["skipUnchanged", "false", '"false"', "true or false"],
    ["notifications", true, "true", 'one of "auto", "assume", "off"'],
    ["embedder", {}, "an object", "an embedder, or a function"],
    ["embedder", null, "null", "an embedder, or a function"],
    ["embedder", [], "a list", "an embedder, or a function"],
    ["embedder", Object.create(null), "an object", "an embedder, or a function"],
  ];
  test.each(cases)("resolveOptions refuses %s with the value %p", (name, value, shown, wish) => {
    const message = refusal({ [name]: value });
    expect(message).toStartWith(`Cannot use the option \`${name}\` as it `);
    expect(message).toContain(wish);
    expect(message).toEndWith(`: it is ${shown}`);
  });

  const inner: [string, object, string][] = [
    ["backoff.baseMs", { backoff: { baseMs: -1 } }, "at least 0"],
    ["backoff.factor", { backoff: { factor: 0.5 } }, "at least 1"],
    ["backoff.factor", { backoff: { factor: Number.NaN } }, "a number"],
    ["backoff.maxMs", { backoff: { maxMs: 1.5 } }, "a whole number from 0"],
    ["backoff.base", { backoff: { base: 5 } }, ""],
    ["cache.ttlMs", { cache: { ttlMs: 0 } }, "at least 1"],
    ["cache.maxBytes", { cache: { ttlMs: 1, maxBytes: 5 } }, ""],
    ["cooldown.baseMs", { cooldown: { baseMs: 0 } }, "at least 1"],
    ["cooldown.maxMs", { cooldown: { maxMs: "1" } }, "a whole number from 1"],
    ["cooldown.factor", { cooldown: { factor: 2 } }, ""],
  ];
  test.each(inner)("resolveOptions refuses a wrong %s inside a group", (path, options, wish) => {
    const message = refusal(options);
    expect(message).toContain(`\`${path}\``);
    expect(message).toContain(wish);
  });

  test("resolveOptions refuses an option that does not exist, by its name", () => {
    expect(refusal({ maxBatchSise: 5 })).toContain("`maxBatchSise` as it is not an option");
  });

  const meant: [object, string, string][] = [
    [{ maxBatchsize: 5 }, "maxBatchsize", "maxBatchSize"],
    [{ batchSize: 5 }, "batchSize", "maxBatchSize"],
    [{ url: "redis://x" }, "url", "redis"],
    [{ budget: { tokensPerMin: 5 } }, "budget.tokensPerMin", "tokensPerMinute"],
    [{ backoff: { base: 5, maxMs: -1 } }, "backoff.base", "baseMs"],
    [{ cache: { ttl: 5 } }, "cache.ttl", "ttlMs"],
  ];
  test.each(meant)("resolveOptions names the option that %j may mean", (options, name, other) => {
    expect(refusal(options)).toBe(
      `Cannot use the option \`${name}\` as it is not an option: did you mean \`${other}\`?`,
    );
  });

  test("resolveOptions lists a small group where no name is near", () => {
    expect(refusal({ cooldown: { factor: 2 } })).toEndWith(": there are `baseMs`, `maxMs`");
    expect(refusal({ zebra: 2 })).toEndWith("as it is not an option");
  });

  test("resolveOptions says of what is missing what it must be", () => {
    expect(refusal({ cache: {} })).toBe(
      "Cannot use the option `cache.ttlMs` as it must be a whole number from 1: it is missing",
    );
    expect(refusal({ embedder: { embed } })).toBe(
      "Cannot use the option `embedder.model` as it must be a name without line breaks: it is missing",
    );
  });

  test("resolveOptions refuses an unknown limit of an embedder", () => {
    const limits = { maxItem: 5 } as object;
    expect(refusal({ embedder: { ...embedderOf(embed), limits } })).toContain(
      "`embedder.limits.maxItem` as it is not an option: did you mean `maxItems`?",
    );
  });

  test.each([undefined, null, 5, "redis"])(
    "resolveOptions refuses %p in the place of options",
    (options) => {
      refusal(options);
    },
  );

  test("resolveOptions cuts a long value short", () => {
    expect(refusal({ onDead: "x".repeat(10_000) }).length).toBeLessThan(200);
  });

  test("checkSettings takes settings, and nothing else", () => {
    expect(checkSettings({ leaseMs: 100, model: "m", dimensions: 3 })).toEqual({
      leaseMs: 100,
      model: "m",
      dimensions: 3,
    });
    const error = thrownBy(() => checkSettings({ concurrency: 4 } as object));
    expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
    expect((error as Error).message).toContain("`concurrency` as it is not an option");
  });
});

describe("credentials", () => {
  const url = "redis://user:hunter2@redis.example:6380/0";
  const misplaced: [string, object][] = [
    ["as an option of another name", { url }],
    ["in an option that does not exist", { redisOptions: { url } }],
    ["in the place of the embedder", { embedder: url }],
    ["in the place of a choice", { notifications: url }],
    ["in the place of a number", { concurrency: url }],
    ["in the place of a group of options", { backoff: url }],
    ["in the place of a list", { embedder: [url] }],
    ["inside a name", { name: `{${url}}` }],
    ["in the embedder's limits", { embedder: { ...embedderOf(embed), limits: url } }],
    ["in the embedder's dimensions", { embedder: { ...embedderOf(embed), dimensions: url } }],
    ["as a model that is not the embedder's", { embedder: embedderOf(embed), model: url }],
  ];
  test.each(misplaced)("resolveOptions does not show a password %s", (_, options) => {
    expect(refusal(options)).not.toContain("hunter2");
  });
});

describe("the embedder", () => {
  test("resolveOptions makes an embedder of a function with model and dimensions beside it", () => {
    const { embedder, asked } = resolveOptions({
      embedder: embed,
      model: "m",
      dimensions: 3,
      task: "document",
    });
    expect(embedder).toEqual({ model: "m", dimensions: 3, task: "document", embed });
    expect(asked).toMatchObject({ model: "m", dimensions: 3, task: "document" });
  });

  test("resolveOptions refuses a function without a model, and without dimensions", () => {
    expect(refusal({ embedder: embed, dimensions: 3 })).toContain("`model`");
    expect(refusal({ embedder: embed, model: "m" })).toContain("`dimensions`");
  });

  test("resolveOptions takes model, dimensions and task from an embedder", () => {
    const embedder: Embedder = { ...embedderOf(embed, 7), task: "query" };
    const resolved = resolveOptions({ embedder });
    expect(resolved.embedder).toBe(embedder);
    expect(resolved.asked).toMatchObject({ model: "fake-1", dimensions: 7, task: "query" });
  });

  test("resolveOptions takes an embedder that is an instance of a class", () => {
    class Provider implements Embedder {
      get model() {
        return "by-class";
      }
      get dimensions() {
        return 4;
      }
      embed = embed;
    }
    expect(resolveOptions({ embedder: new Provider() }).asked).toMatchObject({
      model: "by-class",
      dimensions: 4,
      task: "",
    });
  });

  test("resolveOptions takes model and dimensions beside an embedder where they agree", () => {
    const options = {
      embedder: hashing({ dimensions: 8 }),
      model: "embedq-hashing-1",
      dimensions: 8,
    };
    expect(resolveOptions(options).asked).toMatchObject({ dimensions: 8 });
  });

  test("resolveOptions refuses a model or dimensions that are not the embedder's, and names both", () => {
    const embedder = embedderOf(embed, 7);
    expect(refusal({ embedder, model: "other" })).toBe(
      'Cannot use the option `model` as it must be that of the embedder, "fake-1", or be left out: it is "other"',
    );
    expect(refusal({ embedder, dimensions: 8 })).toContain("that of the embedder, 7,");
  });

  test("resolveOptions embeds for the task that it asks the queue for", () => {
    // Otherwise the queue is told one task, and the worker comes with another and is sent away.
    const { embedder, asked } = resolveOptions({ embedder: embedderOf(embed), task: "document" });
    expect(embedder?.task ?? "").toBe(asked.task as string);
  });

  test("resolveOptions refuses a task that is not the embedder's", () => {
    expect(refusal({ embedder: { ...embedderOf(embed), task: "a" }, task: "b" })).toContain(
      "`task`",
    );
  });

  const broken: [string, object][] = [
    ["model", { model: "" }],
    ["model", { model: "a\nb" }],
    ["dimensions", { dimensions: 0 }],
    ["dimensions", { dimensions: 2.5 }],
    ["task", { task: 5 }],
    // The digest of what was embedded sets its fields apart by line breaks.
    ["task", { task: "a\nb" }],
    ["limits.maxItems", { limits: { maxItems: 0 } }],
    ["limits.maxTokens", { limits: { maxTokens: -1 } }],
    ["limits.maxBytes", { limits: { maxBytes: Number.NaN } }],
    ["limits.countTokens", { limits: { countTokens: 4 } }],
  ];
  test.each(broken)("resolveOptions refuses an embedder whose %s is wrong", (path, changes) => {
    const message = refusal({ embedder: { ...embedderOf(embed), ...changes } });
    expect(message).toContain(`\`embedder.${path}\``);
  });

  test("resolveOptions asks for no task where it names no model", () => {
    expect(resolveOptions({}).asked.task).toBeUndefined();
    const named = { model: "m", dimensions: 3 };
    expect(resolveOptions(named).asked.task).toBe("");
    expect(resolveOptions({ ...named, task: "t" }).asked.task).toBe("t");
  });
});
