// Starting and stopping exactly once, and waits that end.

import { describe, expect, test } from "bun:test";
import { EmbedqError } from "../../src/model/errors.ts";
import { delay, Lifecycle, Wakeup } from "../../src/model/lifecycle.ts";
import { isSettled, thrownBy } from "./builders.ts";

/** Longer than any test runs: a wait of this length ends by its event, or the test hangs. */
const FOR_EVER_MS = 2 ** 31 - 1;

const nothing = () => Promise.resolve();

/** A task that ends when the test says so, and counts its runs. */
function heldTask() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const held = {
    runs: 0,
    task: () => {
      held.runs++;
      return promise;
    },
    finish: () => resolve(),
    fail: (error: Error) => reject(error),
  };
  return held;
}

describe("start", () => {
  test("start runs its task once, however often and early it is called again", async () => {
    const life = new Lifecycle("queue");
    const held = heldTask();
    const starts = [life.start(held.task), life.start(held.task)];
    expect(life.isRunning).toBe(false);
    held.finish();
    await Promise.all(starts);
    await life.start(held.task);
    expect(held.runs).toBe(1);
    expect(life.isRunning).toBe(true);
  });

  test("start fails for everybody who waits for it, and may be called again", async () => {
    const life = new Lifecycle("queue");
    const held = heldTask();
    const starts = [life.start(held.task), life.start(held.task)];
    held.fail(new Error("no route"));
    for (const start of starts) await expect(start).rejects.toThrow("no route");
    expect(life.isRunning).toBe(false);
    await life.start(nothing);
    expect(life.isRunning).toBe(true);
  });

  test("start is refused after a stop, also where it never ran", async () => {
    const life = new Lifecycle("worker");
    await life.stop(nothing);
    const held = heldTask();
    await expect(life.start(held.task)).rejects.toMatchObject({
      code: "ERR_STOPPED",
      message: "Cannot start as the worker was stopped",
    });
    expect(held.runs).toBe(0);
  });
});

describe("stop", () => {
  test("stop runs its task once, and everybody waits for the same end", async () => {
    const life = new Lifecycle("queue");
    await life.start(nothing);
    const held = heldTask();
    const stops = [life.stop(held.task), life.stop(held.task)];
    expect(await isSettled(Promise.race(stops))).toBe(false);
    held.finish();
    await Promise.all(stops);
    await life.stop(held.task);
    expect(held.runs).toBe(1);
  });

  test("stop raises the signal before anything else", async () => {
    const life = new Lifecycle("queue");
    await life.start(nothing);
    const seen: boolean[] = [];
    const stopping = life.stop(() => {
      seen.push(life.signal.aborted);
      return Promise.resolve();
    });
    expect(life.signal.aborted).toBe(true);
    expect(life.signal.reason).toBeInstanceOf(EmbedqError);
    expect(life.isRunning).toBe(false);
    await stopping;
    expect(seen).toEqual([true]);
  });

  test("stop during a start waits for its end before it runs its task", async () => {
    const life = new Lifecycle("queue");
    const start = heldTask();
    const stop = heldTask();
    const starting = life.start(start.task);
    const stopping = life.stop(stop.task);
    expect(await isSettled(stopping)).toBe(false);
    expect({ aborted: life.signal.aborted, stops: stop.runs }).toEqual({ aborted: true, stops: 0 });
    start.finish();
    stop.finish();
    await Promise.all([starting, stopping]);
    expect(stop.runs).toBe(1);
    expect(life.isRunning).toBe(false);
  });

  test("stop during a start that fails still runs its task, and does not fail itself", async () => {
    const life = new Lifecycle("queue");
    const start = heldTask();
    const stop = heldTask();
    const starting = life.start(start.task);
    const stopping = life.stop(stop.task);
    start.fail(new Error("no route"));
    stop.finish();
    await expect(starting).rejects.toThrow("no route");
    await stopping;
    expect(stop.runs).toBe(1);
    await expect(life.start(nothing)).rejects.toMatchObject({ code: "ERR_STOPPED" });
  });

  test("stop that fails tells everybody who asked", async () => {
    const life = new Lifecycle("queue");
    const failing = () => Promise.reject(new Error("no goodbye"));
    await expect(life.stop(failing)).rejects.toThrow("no goodbye");
    await expect(life.stop(nothing)).rejects.toThrow("no goodbye");
  });

  test("stop runs its task once also where the signal's listener stops too", async () => {
    const life = new Lifecycle("queue");
    const held = heldTask();
    held.finish();
    const inner: Promise<void>[] = [];
    life.signal.addEventListener("abort", () => inner.push(life.stop(held.task)));
    await life.stop(held.task);
    await Promise.all(inner);
    expect(held.runs).toBe(1);
  });
});

describe("assertRunning", () => {
  test("assertRunning tells before, during and after apart", async () => {
    const life = new Lifecycle("queue");
    const early = thrownBy(() => life.assertRunning("enqueue"));
    expect(early).toMatchObject({ code: "ERR_NOT_STARTED" });
    expect((early as Error).message).toBe(
      "Cannot enqueue as the queue is not started: call start() first",
    );
    const held = heldTask();
    const starting = life.start(held.task);
    expect(thrownBy(() => life.assertRunning("enqueue"))).toMatchObject({
      code: "ERR_NOT_STARTED",
    });
    held.finish();
    await starting;
    expect(life.assertRunning("enqueue")).toBeUndefined();
    const stopping = life.stop(nothing);
    expect(thrownBy(() => life.assertRunning("enqueue"))).toMatchObject({ code: "ERR_STOPPED" });
    await stopping;
  });

  test("assertRunning takes a failed start for none", async () => {
    const life = new Lifecycle("queue");
    await expect(life.start(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(thrownBy(() => life.assertRunning("enqueue"))).toMatchObject({
      code: "ERR_NOT_STARTED",
    });
  });
});

describe("delay", () => {
  test("delay ends with true when the time is over", async () => {
    expect(await delay(1, new AbortController().signal)).toBe(true);
  });

  test("delay ends with false as soon as the signal is raised", async () => {
    const abort = new AbortController();
    const waiting = delay(FOR_EVER_MS, abort.signal);
    expect(await isSettled(waiting)).toBe(false);
    abort.abort();
    expect(await waiting).toBe(false);
  });

  test("delay does not begin where the signal is raised already", async () => {
    expect(await delay(FOR_EVER_MS, AbortSignal.abort())).toBe(false);
  });
});

describe("Wakeup", () => {
  test("Wakeup does not lose a ring that comes before the wait", async () => {
    const wakeup = new Wakeup();
    wakeup.ring();
    await wakeup.wait(FOR_EVER_MS);
  });

  test("Wakeup ends a wait at the ring", async () => {
    const wakeup = new Wakeup();
    const waiting = wakeup.wait(FOR_EVER_MS);
    expect(await isSettled(waiting)).toBe(false);
    wakeup.ring();
    await waiting;
  });

  test("Wakeup ends a wait when the time is over, without a ring", async () => {
    await new Wakeup().wait(1);
  });

  test("Wakeup takes many rings for one: the next wait waits again", async () => {
    const wakeup = new Wakeup();
    wakeup.ring();
    wakeup.ring();
    await wakeup.wait(FOR_EVER_MS);
    const next = wakeup.wait(FOR_EVER_MS);
    expect(await isSettled(next)).toBe(false);
    wakeup.ring();
    wakeup.ring();
    await next;
    const third = wakeup.wait(FOR_EVER_MS);
    expect(await isSettled(third)).toBe(false);
    wakeup.ring();
    await third;
  });

  test("Wakeup hears a ring after a wait that ran out", async () => {
    const wakeup = new Wakeup();
    await wakeup.wait(1);
    wakeup.ring();
    await wakeup.wait(FOR_EVER_MS);
  });
});
