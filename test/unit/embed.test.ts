// What becomes of a batch at the embedder: its contract, its refusals, its outages, its stops.

import { describe, expect, test } from "bun:test";
import { type EmbedOutcome, type EmbedStage, embedBatch } from "../../src/flow/embed.ts";
import type { EmbedFunction, EmbedResult } from "../../src/model/embedder.ts";
import { EmbedderError, EmbedqError } from "../../src/model/errors.ts";
import { Evidence } from "../../src/model/evidence.ts";
import type { Job, JobResult } from "../../src/model/job.ts";
import {
  batchOf,
  bytesOf,
  embedderOf,
  isSettled,
  job,
  jobsOf,
  numberedTexts,
  placeOf,
  slotOf,
} from "./builders.ts";

/** A stage around an embed function, with three attempts and a time that no test reaches. */
function stageOf(embed: EmbedFunction, changes: Partial<EmbedStage> = {}, dimensions = 1) {
  const stage: EmbedStage = {
    embedder: embedderOf(embed, dimensions),
    timeoutMs: 60_000,
    maxAttempts: 3,
    signal: new AbortController().signal,
    fillOf: () => 0,
    batchSize: 50,
    // Charges as much as the texts deserve: doubts about the provider have a file of their own.
    evidence: new Evidence(Number.POSITIVE_INFINITY),
    admit: () => Promise.resolve({ end: () => undefined }),
    onTooLarge: () => undefined,
    onPassed: () => undefined,
    shorten: () => [],
    ...changes,
  };
  return stage;
}

/** Embeds one text by a reply. */
async function judged(reply: unknown, dimensions = 2): Promise<JobResult> {
  const stage = stageOf(() => Promise.resolve([reply as EmbedResult]), {}, dimensions);
  const { results } = await embedBatch(stage, batchOf([job(0)]));
  expect(results).toHaveLength(1);
  return results[0] as JobResult;
}

/** The vector that a numbered text gets: its own place, counted from 1, as zero is no vector. */
const vectorOf = (text: string): number[] => [placeOf(text) + 1];
const embedAll: EmbedFunction = (texts) => Promise.resolve(texts.map(vectorOf));

/** An embed function that refuses every call with one of the bad texts, and writes down its calls. */
function refusing(bad: ReadonlySet<string>, error: () => unknown) {
  const calls: (readonly string[])[] = [];
  const embed: EmbedFunction = (texts) => {
    calls.push(texts);
    if (texts.some((text) => bad.has(text))) return Promise.reject(error() as Error);
    return embedAll(texts, { signal: new AbortController().signal });
  };
  return { calls, embed };
}

const rejection = () => new EmbedderError("rejected", "this input is refused");
const outage = () => new EmbedderError("unavailable", "the provider is down");

/** The status of each job, in the order of the jobs; fails where a job has no result or two. */
function statusesOf(outcome: EmbedOutcome, jobs: readonly Job[]): string[] {
  expect(outcome.results).toHaveLength(jobs.length);
  return jobs.map((one) => outcome.results.find((result) => result.job === one)?.status ?? "none");
}

/** The error of the first result that has one. */
function errorOf(results: readonly JobResult[]): Error | undefined {
  return results.flatMap((result) => ("error" in result ? [result.error] : []))[0];
}

/** What is reported of what was thrown: itself, or in the place of another library's, an error of ours with its words. */
function expectReportOf(thrown: unknown, error: Error | undefined): void {
  if (thrown instanceof Error && "status" in thrown) {
    expect(error).toBeInstanceOf(EmbedderError);
    expect(error?.message).toBe(`HTTP ${thrown.status}: ${thrown.message}`);
  } else expect(error).toBe(thrown as Error);
}

describe("a good reply", () => {
  test("embedBatch gives every job its own text's vector, in one call", async () => {
    const jobs = jobsOf(numberedTexts(50));
    const outcome = await embedBatch(stageOf(embedAll), batchOf(jobs));
    expect(outcome.counts.calls).toBe(1);
    expect(outcome.outage).toBeUndefined();
    expect(outcome.results).toEqual(
      jobs.map((one, i) => ({
        status: "embedded" as const,
        job: one,
        vector: bytesOf(i + 1),
        sent: one.text,
      })),
    );
  });

  test("embedBatch gives the vector to all jobs that share a text", async () => {
    const [a, b] = [job(1, { text: "text 7" }), job(2, { text: "text 7" })];
    const batch = { slots: [slotOf("text 7", [a, b])] };
    const { results } = await embedBatch(stageOf(embedAll), batch);
    expect(results).toEqual([
      { status: "embedded", job: a, vector: bytesOf(8), sent: "text 7" },
      { status: "embedded", job: b, vector: bytesOf(8), sent: "text 7" },
    ]);
  });

  test("embedBatch makes no call for no texts", async () => {
    const outcome = await embedBatch(stageOf(embedAll), { slots: [] });
    expect(outcome).toMatchObject({ counts: { calls: 0 }, results: [] });
  });

  const forms: [string, unknown][] = [
    ["number[]", [0.5, -2]],
    ["Float32Array", new Float32Array([0.5, -2])],
    ["a part of a larger Float32Array", new Float32Array([9, 0.5, -2, 9]).subarray(1, 3)],
    ["bytes", bytesOf(0.5, -2)],
    ["a part beside NaN", new Float32Array([Number.NaN, 0.5, -2]).subarray(1)],
    ["bytes that begin at an odd offset", new Uint8Array([7, ...bytesOf(0.5, -2)]).subarray(1)],
    ["a Buffer", Buffer.from(bytesOf(0.5, -2))],
  ];
  test.each(forms)("embedBatch takes a vector as %s", async (_, reply) => {
    const result = await judged(reply);
    expect(result.status).toBe("embedded");
    if (result.status === "embedded") expect([...result.vector]).toEqual([...bytesOf(0.5, -2)]);
  });
});

describe("the embedder's contract", () => {
  const broken: [string, unknown, string][] = [
    ["too few numbers", [1], "must return 2 numbers (8 bytes) a text: it is 1 numbers"],
    ["too many numbers", [1, 2, 3], "it is 3 numbers"],
    ["an empty vector", [], "it is 0 numbers"],
    ["NaN", [1, Number.NaN], "must return finite numbers: it is NaN at 1"],
    ["Infinity", [Number.POSITIVE_INFINITY, 1], "it is Infinity at 0"],
    ["a number beyond float32", [1, 1e39], "it is Infinity at 1"],
    ["NaN in a Float32Array", new Float32Array([Number.NaN, 1]), "it is NaN at 0"],
    ["-Infinity in bytes", bytesOf(1, Number.NEGATIVE_INFINITY), "it is -Infinity at 1"],
    ["NaN in a part", new Float32Array([1, 1, Number.NaN]).subarray(1), "it is NaN at 1"],
    ["bytes of wrong length", bytesOf(1, 2).subarray(0, 7), "it is 1.75 numbers"],
    ["one byte a number", new Uint8Array(2), "it is 0.5 numbers"],
    ["words", ["a", "b"], "must return finite numbers"],
    ["nothing", undefined, "must return a vector or an error: it is undefined"],
    ["null", null, "must return a vector or an error: it is object"],
    ["a string", "0.1,0.2", "it is string"],
    ["an object around the vector", { embedding: [1, 2] }, "it is object"],
    // JSON has no NaN: a server in JavaScript sends null in its place.
    ["null in the place of a number", [1, null], "must return finite numbers"],
    ["a number in words", [1, "2"], "must return finite numbers"],
    ["a hole", [1, ...new Array(1)], "must return finite numbers"],
    ["a list in the place of a number", [1, []], "must return finite numbers"],
  ];
  test.each(broken)("embedBatch charges an attempt for %s", async (_, reply, message) => {
    const result = await judged(reply);
    expect(result.status).toBe("failed");
    const error = errorOf([result]);
    expect(error).toBeInstanceOf(EmbedqError);
    expect(error).toMatchObject({ code: "ERR_EMBEDDER_CONTRACT" });
    expect(error?.message).toContain(message);
  });

  test("embedBatch charges only the text whose vector is broken", async () => {
    const jobs = jobsOf(numberedTexts(3));
    const stage = stageOf(() => Promise.resolve([[1], [Number.NaN], [2]]));
    const outcome = await embedBatch(stage, batchOf(jobs));
    expect(statusesOf(outcome, jobs)).toEqual(["embedded", "failed", "embedded"]);
    expect(outcome.counts.calls).toBe(1);
  });

  test("embedBatch gives every job one result also where a number cannot be converted", async () => {
    const jobs = jobsOf(numberedTexts(3));
    const stage = stageOf(() => Promise.resolve([[1], [1n as never], [2]]));
    const outcome = await embedBatch(stage, batchOf(jobs));
    expect(statusesOf(outcome, jobs)).toEqual(["embedded", "failed", "embedded"]);
  });

  const counts: [string, unknown, string][] = [
    ["one result too few", [[0]], "one result for each of 2 texts: it is 1"],
    ["one result too many", [[0], [1], [2]], "it is 3"],
    ["no list", { data: [[0], [1]] }, "it is object"],
    ["nothing", undefined, "it is undefined"],
  ];
  test.each(counts)("embedBatch refuses a reply with %s as a whole", async (_, reply, message) => {
    const jobs = jobsOf(numberedTexts(2));
    const stage = stageOf(() => Promise.resolve(reply as EmbedResult[]));
    const outcome = await embedBatch(stage, batchOf(jobs));
    expect(statusesOf(outcome, jobs)).toEqual(["failed", "failed"]);
    expect(outcome.counts.calls).toBe(1);
    expect(errorOf(outcome.results)).toMatchObject({ code: "ERR_EMBEDDER_CONTRACT" });
    expect(errorOf(outcome.results)?.message).toContain(message);
  });

  test("embedBatch takes an embedder that throws at once as one that rejects", async () => {
    const stage = stageOf(() => {
      throw rejection();
    });
    const { results } = await embedBatch(stage, batchOf([job(0)]));
    expect(results).toMatchObject([{ status: "rejected", error: { kind: "rejected" } }]);
  });

  test("embedBatch gives a result for every job whatever is thrown", async () => {
    for (const thrown of ["words", 42, undefined, null, Object.create(null)]) {
      const stage = stageOf(() => Promise.reject(thrown));
      const { results } = await embedBatch(stage, batchOf([job(0)]));
      expect(results).toMatchObject([{ status: "failed", error: expect.any(Error) }]);
    }
  });
});

describe("errors for single texts", () => {
  const kinds: [string, Error, string][] = [
    ["rejected", rejection(), "rejected"],
    ["a plain error", new Error("odd"), "failed"],
    ["rate limited", new EmbedderError("rateLimited", "slower"), "deferred"],
    ["unavailable", outage(), "deferred"],
    ["fatal", new EmbedderError("fatal", "wrong key"), "deferred"],
    ["HTTP 503", Object.assign(new Error("busy"), { status: 503 }), "deferred"],
  ];
  test.each(kinds)("embedBatch sorts a returned error: %s", async (_, error, status) => {
    const jobs = jobsOf(numberedTexts(3));
    const stage = stageOf(() => Promise.resolve([[1], error, [2]]));
    const outcome = await embedBatch(stage, batchOf(jobs));
    expect(statusesOf(outcome, jobs)).toEqual(["embedded", status, "embedded"]);
    expectReportOf(error, errorOf(outcome.results));
    if (status === "deferred") expectReportOf(error, outcome.outage?.error);
    else expect(outcome.outage).toBeUndefined();
    expect(outcome.counts.calls).toBe(1);
  });

  test("embedBatch reports the first of several outages", async () => {
    const [first, second] = [outage(), new EmbedderError("rateLimited", "slower")];
    const stage = stageOf(() => Promise.resolve([first, second]));
    const outcome = await embedBatch(stage, batchOf(jobsOf(numberedTexts(2))));
    expect(outcome.outage?.error).toBe(first);
  });
});

describe("a rejected batch", () => {
  test("embedBatch isolates one bad text in at most 2·log2(n) + 1 further calls, and embeds the others", async () => {
    // A small vector that all share: what counts here is the number of calls.
    const vector = new Float32Array([1]);
    for (let n = 1; n <= 200; n++) {
      const jobs = jobsOf(numberedTexts(n));
      const batch = batchOf(jobs);
      const bound = 1 + 2 * Math.log2(n) + 1;
      // Every place up to 64; beyond, the places beside every cut of the halving.
      const places = n <= 64 ? jobs.keys() : [0, 1, n >> 2, (n >> 1) - 1, n >> 1, n - 2, n - 1];
      for (const place of places) {
        const bad = `text ${place}`;
        const stage = stageOf((texts) =>
          texts.includes(bad)
            ? Promise.reject(rejection())
            : Promise.resolve(texts.map(() => vector)),
        );
        const { results, counts } = await embedBatch(stage, batch);
        const { calls } = counts;
        const others = results.filter(({ status }) => status === "embedded");
        const refused = results.filter(({ status }) => status === "rejected");
        if (others.length !== n - 1 || refused[0]?.job.text !== bad || calls > bound) {
          throw new Error(`${n} texts, bad at ${place}: ${calls} calls, ${others.length} embedded`);
        }
      }
    }
  });

  test("embedBatch embeds every good text once, with its own vector", async () => {
    const jobs = jobsOf(numberedTexts(37));
    const { embed, calls } = refusing(new Set(["text 20"]), rejection);
    const outcome = await embedBatch(stageOf(embed), batchOf(jobs));
    for (const result of outcome.results) {
      if (result.status === "embedded") {
        expect(result.vector).toEqual(bytesOf(...vectorOf(result.job.text)));
      }
    }
    const passed = calls.filter((texts) => !texts.includes("text 20")).flat();
    expect(passed).toHaveLength(36);
    expect(new Set(passed).size).toBe(36);
    expect(outcome.counts.calls).toBe(calls.length);
    expect(outcome.outage).toBeUndefined();
  });

  test("embedBatch isolates two bad texts wherever they stand", async () => {
    for (let n = 2; n <= 16; n++) {
      for (let one = 0; one < n; one++) {
        for (let two = one + 1; two < n; two++) {
          const jobs = jobsOf(numberedTexts(n));
          const { embed } = refusing(new Set([`text ${one}`, `text ${two}`]), rejection);
          const outcome = await embedBatch(stageOf(embed), batchOf(jobs));
          const wanted = jobs.map((_, i) => (i === one || i === two ? "rejected" : "embedded"));
          expect(statusesOf(outcome, jobs)).toEqual(wanted);
        }
      }
    }
  });

  test("embedBatch rejects all jobs that share a bad text, and none else", async () => {
    const jobs = [job(0, { text: "bad" }), job(1, { text: "bad" }), job(2, { text: "text 2" })];
    const batch = { slots: [slotOf("bad", jobs.slice(0, 2)), slotOf("text 2", jobs.slice(2))] };
    const { embed } = refusing(new Set(["bad"]), rejection);
    const outcome = await embedBatch(stageOf(embed), batch);
    expect(statusesOf(outcome, jobs)).toEqual(["rejected", "rejected", "embedded"]);
  });

  test("embedBatch stops splitting at an outage: what is left is deferred without a call", async () => {
    const jobs = jobsOf(numberedTexts(8));
    let calls = 0;
    const stage = stageOf(() => Promise.reject(++calls === 1 ? rejection() : outage()));
    const outcome = await embedBatch(stage, batchOf(jobs));
    expect(calls).toBe(2);
    expect(statusesOf(outcome, jobs)).toEqual(jobs.map(() => "deferred"));
    expect(outcome.outage?.kind).toBe("unavailable");
  });
});

describe("an unclassified error", () => {
  const odd = () => new Error("something odd");

  test("embedBatch charges everybody where nobody is at the last attempt, without a further call", async () => {
    const jobs = jobsOf(numberedTexts(5), { attempts: 1 });
    const { embed, calls } = refusing(new Set(["text 3"]), odd);
    const outcome = await embedBatch(stageOf(embed), batchOf(jobs));
    expect(statusesOf(outcome, jobs)).toEqual(jobs.map(() => "failed"));
    expect(calls).toHaveLength(1);
    expect(outcome.outage).toBeUndefined();
  });

  test("embedBatch charges nobody's last attempt for a neighbour's fault", async () => {
    for (let place = 0; place < 9; place++) {
      const jobs = jobsOf(numberedTexts(9), { attempts: 2 });
      const { embed } = refusing(new Set([`text ${place}`]), odd);
      const outcome = await embedBatch(stageOf(embed), batchOf(jobs));
      const wanted = jobs.map((_, i) => (i === place ? "failed" : "embedded"));
      expect(statusesOf(outcome, jobs)).toEqual(wanted);
    }
  });

  test("embedBatch tries again only the texts at their last attempt", async () => {
    const jobs = numberedTexts(6).map((text, i) => job(i, { text, attempts: i % 2 === 0 ? 0 : 2 }));
    const { embed, calls } = refusing(new Set(["text 0"]), odd);
    const outcome = await embedBatch(stageOf(embed), batchOf(jobs));
    expect(statusesOf(outcome, jobs)).toEqual(
      jobs.map(({ attempts }) => (attempts === 2 ? "embedded" : "failed")),
    );
    expect(calls.slice(1)).toEqual([["text 1", "text 3", "text 5"]]);
  });

  test("embedBatch protects the last attempt of one job among several that share a text", async () => {
    const [fresh, last] = [job(0, { text: "text 1" }), job(1, { text: "text 1", attempts: 2 })];
    const bad = job(2, { text: "bad" });
    const batch = { slots: [slotOf("text 1", [fresh, last]), slotOf("bad", [bad])] };
    const { embed } = refusing(new Set(["bad"]), odd);
    const outcome = await embedBatch(stageOf(embed), batch);
    expect(statusesOf(outcome, [fresh, last, bad])).toEqual(["embedded", "embedded", "failed"]);
  });

  test("embedBatch protects the last attempt also where every attempt is the last", async () => {
    const jobs = jobsOf(numberedTexts(4));
    const { embed } = refusing(new Set(["text 2"]), odd);
    const outcome = await embedBatch(stageOf(embed, { maxAttempts: 1 }), batchOf(jobs));
    expect(statusesOf(outcome, jobs)).toEqual(["embedded", "embedded", "failed", "embedded"]);
  });

  test("embedBatch ends where every call fails: each text at its last attempt fails alone", async () => {
    const jobs = jobsOf(numberedTexts(8), { attempts: 2 });
    const calls: number[] = [];
    const stage = stageOf((texts) => {
      calls.push(texts.length);
      return Promise.reject(odd());
    });
    const outcome = await embedBatch(stage, batchOf(jobs));
    expect(statusesOf(outcome, jobs)).toEqual(jobs.map(() => "failed"));
    expect(calls.filter((size) => size === 1)).toHaveLength(8);
  });

  test("embedBatch protects the last attempt from a reply that is one result short", async () => {
    const jobs = jobsOf(numberedTexts(4), { attempts: 2 });
    const stage = stageOf((texts) =>
      Promise.resolve(texts.filter((text) => text !== "text 1").map(vectorOf)),
    );
    const outcome = await embedBatch(stage, batchOf(jobs));
    expect(statusesOf(outcome, jobs)).toEqual(["embedded", "failed", "embedded", "embedded"]);
  });
});

describe("an outage", () => {
  const outages: [string, () => unknown][] = [
    ["EmbedderError unavailable", outage],
    ["EmbedderError rateLimited", () => new EmbedderError("rateLimited", "slower")],
    ["EmbedderError fatal", () => new EmbedderError("fatal", "no credit", { scope: "account" })],
    ["HTTP 500", () => Object.assign(new Error("oops"), { status: 500 })],
    ["a refused connection", () => Object.assign(new Error("no"), { code: "ECONNREFUSED" })],
  ];
  test.each(outages)("embedBatch defers all texts at once: %s", async (_, error) => {
    const jobs = jobsOf(numberedTexts(4), { attempts: 2 });
    const thrown = error();
    const outcome = await embedBatch(
      stageOf(() => Promise.reject(thrown)),
      batchOf(jobs),
    );
    expect(statusesOf(outcome, jobs)).toEqual(jobs.map(() => "deferred"));
    expect(outcome.counts.calls).toBe(1);
    expectReportOf(thrown, outcome.outage?.error);
  });

  test("embedBatch counts a call that takes too long as an outage, and raises its signal", async () => {
    const jobs = jobsOf(numberedTexts(2));
    let signal: AbortSignal | undefined;
    const stage = stageOf(
      (_, context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
      { timeoutMs: 1 },
    );
    const outcome = await embedBatch(stage, batchOf(jobs));
    expect(signal?.aborted).toBe(true);
    expect(statusesOf(outcome, jobs)).toEqual(["deferred", "deferred"]);
    expect(outcome.outage).toMatchObject({ kind: "unavailable" });
    expect(outcome.outage?.error.message).toContain("embedTimeoutMs, 1 ms");
  });

  test("embedBatch takes the timeout for the reason, whatever the embedder makes of its signal", async () => {
    const stage = stageOf(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("my client gave up")));
        }),
      { timeoutMs: 1 },
    );
    const outcome = await embedBatch(stage, batchOf([job(0)]));
    expect(outcome.results).toMatchObject([{ status: "deferred" }]);
  });

  test("embedBatch leaves the signal alone once the call is through", async () => {
    const signals: AbortSignal[] = [];
    const stage = stageOf(
      (texts, { signal }) => {
        signals.push(signal);
        return embedAll(texts, { signal });
      },
      { timeoutMs: 1 },
    );
    await embedBatch(stage, batchOf([job(0)]));
    // A later timer of the same length: one that the call had left would have run before it.
    await embedBatch(
      stageOf(() => new Promise(() => {}), { timeoutMs: 5 }),
      batchOf([job(0)]),
    );
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });

  test("embedBatch is not disturbed by an embedder that fails after its time", async () => {
    const late = Promise.withResolvers<never>();
    const stage = stageOf(() => late.promise, { timeoutMs: 1 });
    const outcome = await embedBatch(stage, batchOf([job(0)]));
    late.reject(new Error("too late"));
    await expect(late.promise).rejects.toThrow("too late");
    expect(outcome.results).toMatchObject([{ status: "deferred" }]);
  });
});

describe("a stop", () => {
  test("embedBatch makes no call after a stop, and defers", async () => {
    const jobs = jobsOf(numberedTexts(2));
    const { embed, calls } = refusing(new Set(), rejection);
    const outcome = await embedBatch(
      stageOf(embed, { signal: AbortSignal.abort() }),
      batchOf(jobs),
    );
    expect(calls).toEqual([]);
    expect(outcome).toMatchObject({ counts: { calls: 0 }, outage: undefined });
    expect(statusesOf(outcome, jobs)).toEqual(["deferred", "deferred"]);
  });

  test("embedBatch ends at a stop during the call, raises its signal, and reports no outage", async () => {
    const jobs = jobsOf(numberedTexts(2), { attempts: 2 });
    const stop = new AbortController();
    let seen: AbortSignal | undefined;
    const stage = stageOf(
      (_, { signal }) => {
        seen = signal;
        return new Promise(() => {});
      },
      { signal: stop.signal },
    );
    const solving = embedBatch(stage, batchOf(jobs));
    await isSettled(solving);
    expect(seen?.aborted).toBe(false);
    stop.abort();
    const outcome = await solving;
    expect(seen?.aborted).toBe(true);
    expect(statusesOf(outcome, jobs)).toEqual(["deferred", "deferred"]);
    expect(outcome.outage).toBeUndefined();
  });

  const thrown: [string, () => Error][] = [
    ["an unclassified error", () => new Error("my client gave up")],
    ["a rejection", rejection],
    ["an outage", outage],
  ];
  test.each(thrown)("embedBatch charges nothing for %s that a stop caused", async (_, error) => {
    for (const count of [1, 3]) {
      const jobs = jobsOf(numberedTexts(count), { attempts: 2 });
      const stop = new AbortController();
      const stage = stageOf(
        () => {
          stop.abort(new Error("shutting down"));
          return Promise.reject(error());
        },
        { signal: stop.signal },
      );
      const outcome = await embedBatch(stage, batchOf(jobs));
      expect(statusesOf(outcome, jobs)).toEqual(jobs.map(() => "deferred"));
      expect(outcome).toMatchObject({ counts: { calls: 1 }, outage: undefined });
    }
  });

  test("embedBatch keeps what was embedded before a stop in the middle of splitting", async () => {
    const jobs = jobsOf(numberedTexts(4));
    const stop = new AbortController();
    let calls = 0;
    const stage = stageOf(
      (texts, context) => {
        calls++;
        if (calls === 1) return Promise.reject(rejection());
        if (calls === 2) return embedAll(texts, context);
        stop.abort();
        return new Promise(() => {});
      },
      { signal: stop.signal },
    );
    const outcome = await embedBatch(stage, batchOf(jobs));
    expect(statusesOf(outcome, jobs)).toEqual(["embedded", "embedded", "deferred", "deferred"]);
  });
});
