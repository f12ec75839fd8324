// When a worker may call the provider. The clock is the test's own.

import { afterEach, beforeEach, describe, expect, type Mock, spyOn, test } from "bun:test";
import { EmbedderError } from "../../src/model/errors.ts";
import { EventEmitter } from "../../src/model/events.ts";
import { Pauses } from "../../src/pauses.ts";

let nowMs = 0;
let clock: Mock<() => number>;

beforeEach(() => {
  nowMs = 5000;
  clock = spyOn(performance, "now").mockImplementation(() => nowMs);
});
afterEach(() => clock.mockRestore());

/** Pauses of a worker with bounds of 100 and 500 ms, and what it reports. */
function watched() {
  const events = new EventEmitter();
  const reports: unknown[] = [];
  events.on("worker:paused", ({ worker, pauseMs }) => reports.push(`${worker} pauses ${pauseMs}`));
  events.on("worker:resumed", ({ worker }) => reports.push(`${worker} resumes`));
  return { pauses: new Pauses("w1", events, { baseMs: 100, maxMs: 500 }), events, reports };
}

const fault = new EmbedderError("fatal", "wrong key");

describe("the shared pause", () => {
  test("no obstacle stands at the beginning", () => {
    const { pauses } = watched();
    expect(pauses.obstacle()).toBeUndefined();
    expect(pauses).toMatchObject({ ownMs: 0, isProbing: false });
  });

  test("share stands in the way of calls until its time is over, but not of claims", () => {
    const { pauses } = watched();
    pauses.share(300);
    expect(pauses.obstacle()).toMatchObject({ kind: "unavailable" });
    expect(pauses.obstacle()?.message).toBe("The provider is left alone for 300 ms");
    expect(pauses).toMatchObject({ ownMs: 0, isProbing: false });
    nowMs += 299;
    expect(pauses.obstacle()?.message).toContain("for 1 ms");
    nowMs += 1;
    expect(pauses.obstacle()).toBeUndefined();
  });

  test("share never shortens the pause that stands", () => {
    const { pauses } = watched();
    pauses.share(300);
    pauses.share(10);
    nowMs += 299;
    expect(pauses.obstacle()).toBeDefined();
  });

  test("endShared ends it at once", () => {
    const { pauses } = watched();
    pauses.share(300);
    pauses.endShared();
    expect(pauses.obstacle()).toBeUndefined();
  });

  test("endShared with a mark ends only what was known at the mark", () => {
    const { pauses } = watched();
    pauses.share(300);
    const mark = pauses.mark();
    pauses.share(10);
    pauses.endShared(mark);
    expect(pauses.obstacle()).toBeDefined();
    pauses.endShared(pauses.mark());
    expect(pauses.obstacle()).toBeUndefined();
  });

  test("share makes nothing of a time that is no number: the doorbell is open to everybody", () => {
    const { pauses } = watched();
    pauses.share(Number("soon"));
    expect(pauses.obstacle()).toBeUndefined();
    pauses.share(300);
    expect(pauses.obstacle()).toBeDefined();
    nowMs += 300;
    expect(pauses.obstacle()).toBeUndefined();
  });
});

describe("the pause of one worker", () => {
  test("pauseOwn stands in the way of claims and calls, and is reported", () => {
    const { pauses, reports } = watched();
    pauses.pauseOwn(fault, undefined);
    expect(pauses).toMatchObject({ ownMs: 100, isProbing: true });
    expect(pauses.obstacle()?.message).toContain("for 100 ms");
    expect(reports).toEqual(["w1 pauses 100"]);
    nowMs += 100;
    expect(pauses.ownMs).toBe(0);
    expect(pauses.obstacle()).toBeUndefined();
  });

  test("pauseOwn waits twice as long each time, up to the bound", () => {
    const { pauses, reports } = watched();
    for (let fail = 0; fail < 5; fail++) {
      pauses.pauseOwn(fault, undefined);
      nowMs += pauses.ownMs;
    }
    expect(reports).toEqual([100, 200, 400, 500, 500].map((ms) => `w1 pauses ${ms}`));
  });

  test("pauseOwn takes faults of calls that were under way together for one", () => {
    const { pauses, reports } = watched();
    pauses.pauseOwn(fault, undefined);
    nowMs += 50;
    pauses.pauseOwn(fault, undefined);
    expect(pauses.ownMs).toBe(50);
    expect(reports).toHaveLength(1);
  });

  test("pauseOwn keeps to the time that the provider named, also beyond the bound", () => {
    const { pauses } = watched();
    pauses.pauseOwn(fault, 9000);
    expect(pauses.ownMs).toBe(9000);
  });

  test("pauseOwn reports what was thrown as an Error", () => {
    const { pauses, events } = watched();
    const errors: Error[] = [];
    events.on("worker:paused", ({ error }) => errors.push(error));
    pauses.pauseOwn("words", undefined);
    expect(errors).toEqual([new Error("words")]);
  });

  test("a probe goes on after the pause until a call comes through", () => {
    const { pauses, reports } = watched();
    pauses.pauseOwn(fault, undefined);
    nowMs += 100;
    expect(pauses.isProbing).toBe(true);
    pauses.resume();
    expect(pauses.isProbing).toBe(false);
    expect(reports).toEqual(["w1 pauses 100", "w1 resumes"]);
    pauses.pauseOwn(fault, undefined);
    expect(pauses.ownMs).toBe(100);
  });

  test("resume ends the pause at once: a call that was under way came through", () => {
    const { pauses } = watched();
    pauses.pauseOwn(fault, undefined);
    pauses.resume();
    expect(pauses.ownMs).toBe(0);
    expect(pauses.obstacle()).toBeUndefined();
  });

  test("endOwn lets one call at a time try, and another fault pauses for longer", () => {
    const { pauses, reports } = watched();
    pauses.pauseOwn(fault, 9000);
    pauses.endOwn();
    expect(pauses).toMatchObject({ ownMs: 0, isProbing: true });
    expect(pauses.obstacle()).toBeUndefined();
    pauses.pauseOwn(fault, undefined);
    expect(reports).toEqual(["w1 pauses 9000", "w1 pauses 200"]);
    pauses.endOwn();
    pauses.resume();
    expect(reports.at(-1)).toBe("w1 resumes");
  });

  test("leftMs asks for a resume since the pause began, and ends it where there was one", async () => {
    const { pauses } = watched();
    const asked: number[] = [];
    const resumed = (answer: boolean) => (ms: number) => {
      asked.push(ms);
      return Promise.resolve(answer);
    };
    expect(await pauses.leftMs(resumed(true))).toBe(0);
    expect(asked).toEqual([]);
    pauses.pauseOwn(fault, 9000);
    nowMs += 1000;
    expect(await pauses.leftMs(resumed(false))).toBe(8000);
    nowMs += 1000;
    expect(await pauses.leftMs(resumed(true))).toBe(0);
    expect(asked).toEqual([1000, 2000]);
    expect(pauses.isProbing).toBe(true);
  });

  test("resume is silent where nothing was wrong, and leaves the shared pause", () => {
    const { pauses, reports } = watched();
    pauses.share(300);
    pauses.resume();
    expect(reports).toEqual([]);
    expect(pauses.obstacle()).toBeDefined();
  });

  test("the longer of both pauses counts", () => {
    const { pauses } = watched();
    pauses.share(50);
    pauses.pauseOwn(fault, undefined);
    expect(pauses.obstacle()?.message).toContain("for 100 ms");
    pauses.share(400);
    expect(pauses.obstacle()?.message).toContain("for 400 ms");
  });
});
