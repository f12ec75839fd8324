// Models that cannot take two calls at once get one after another, and nobody waits for a dead call.

import { expect, test } from "bun:test";
import { type AiSdkModel, aiSdk } from "../../src/providers/index.ts";
import { failure } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { FAKE_DIMENSIONS, FakeModel, rightAnswer } from "./ai-sdk/fake-model.ts";

/** A model whose calls wait until they are let go. */
function gatedModel(supportsParallelCalls: AiSdkModel["supportsParallelCalls"]) {
  const model = new FakeModel({ supportsParallelCalls });
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  model.answer = async (call) => {
    await gate;
    return rightAnswer(call);
  };
  // Two embedders of one model are in one line.
  const embedders = [1, 2].map(() => aiSdk(model, { dimensions: FAKE_DIMENSIONS }));
  let next = 0;
  const embed = (text: string, signal = new AbortController().signal) =>
    embedders[next++ % 2]?.embed([text], { signal });
  return { model, open, embed };
}

const begun = (model: FakeModel) => model.calls.map(({ values: [text] }) => text);

test("a queue is told how many calls at once the model takes, where that is known", () => {
  const maxOf = (supportsParallelCalls: AiSdkModel["supportsParallelCalls"]) =>
    aiSdk(new FakeModel({ supportsParallelCalls }), { dimensions: 4 }).limits?.maxConcurrentCalls;
  expect(maxOf(false)).toBe(1);
  expect(maxOf(true)).toBeUndefined();
  expect(maxOf(Promise.resolve(false))).toBeUndefined();
});

test("a model that takes parallel calls gets them", async () => {
  const { model, open, embed } = gatedModel(Promise.resolve(true));
  const calls = ["a", "b", "c"].map((text) => embed(text));
  await until(() => model.active === 3, { what: "three calls at once" });
  open();
  await Promise.all(calls);
});

test.each([
  ["says", false],
  ["promises", Promise.resolve(false)],
])(
  "a model that %s that it does not gets one at a time, in order",
  async (_, supportsParallelCalls) => {
    const { model, open, embed } = gatedModel(supportsParallelCalls);
    const calls = ["a", "b", "c", "d"].map((text) => embed(text));
    await until(() => model.active === 1, { what: "the first call" });
    open();
    await Promise.all(calls);
    expect(begun(model)).toEqual(["a", "b", "c", "d"]);
    expect(model.peak).toBe(1);
  },
);

test("who is stopped while waiting leaves at once, and nobody passes the call in front", async () => {
  const { model, open, embed } = gatedModel(false);
  const impatient = new AbortController();
  const first = embed("a");
  const second = failure(embed("b", impatient.signal) as Promise<unknown>);
  const third = embed("c");
  await until(() => model.active === 1, { what: "the first call" });
  impatient.abort(new Error("the worker stops"));
  expect(await second).toBe(impatient.signal.reason);
  expect(begun(model)).toEqual(["a"]);
  open();
  await Promise.all([first, third]);
  expect(begun(model)).toEqual(["a", "c"]);
  expect(model.peak).toBe(1);
});

test("a call that was given up does not hold the line, though the model never answers", async () => {
  const model = new FakeModel({ supportsParallelCalls: false });
  const embedder = aiSdk(model, { dimensions: FAKE_DIMENSIONS });
  model.answer = (call) => (call.values[0] === "a" ? new Promise(() => {}) : rightAnswer(call));
  const tooLong = new AbortController();
  const first = failure(embedder.embed(["a"], tooLong));
  const second = embedder.embed(["b"]);
  await until(() => model.active === 1, { what: "the first call" });
  tooLong.abort(new Error("too long"));
  expect(await first).toBe(tooLong.signal.reason);
  expect((await second).results).toHaveLength(1);
});

test("a failed call lets the next one in", async () => {
  const model = new FakeModel({ supportsParallelCalls: false });
  const embedder = aiSdk(model, { dimensions: FAKE_DIMENSIONS });
  model.answer = (call) => {
    if (call.values[0] === "a") throw new RangeError("bad");
    return rightAnswer(call);
  };
  const first = failure(embedder.embed(["a"]));
  const second = await embedder.embed(["b"]);
  expect(await first).toBeInstanceOf(RangeError);
  expect(second.results).toHaveLength(1);
});
