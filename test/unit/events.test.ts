// Listeners, and what they cannot do.

import { describe, expect, test } from "bun:test";
import { type EmbedqEvents, EventEmitter } from "../../src/model/events.ts";
import { isSettled } from "./builders.ts";

const resumed = (worker: string) => ({ worker });

describe("listeners", () => {
  test("emit calls every listener of the event with the payload, in order", () => {
    const events = new EventEmitter();
    const heard: string[] = [];
    events.on("worker:resumed", ({ worker }) => heard.push(`first ${worker}`));
    events.on("worker:resumed", ({ worker }) => heard.push(`second ${worker}`));
    events.on("worker:started", () => heard.push("another event"));
    events.emit("worker:resumed", resumed("w1"));
    expect(heard).toEqual(["first w1", "second w1"]);
  });

  test("emit does nothing where nobody listens", () => {
    expect(new EventEmitter().emit("worker:resumed", resumed("w1"))).toBeUndefined();
  });

  test("on returns the function that removes the listener, and no other", () => {
    const events = new EventEmitter();
    const heard: string[] = [];
    const remove = events.on("worker:resumed", () => heard.push("removed"));
    events.on("worker:resumed", () => heard.push("kept"));
    remove();
    remove();
    events.emit("worker:resumed", resumed("w1"));
    expect(heard).toEqual(["kept"]);
  });

  test("a listener may remove itself while it is called, and the others are called all the same", () => {
    const events = new EventEmitter();
    const heard: string[] = [];
    const remove = events.on("worker:resumed", () => {
      heard.push("once");
      remove();
    });
    events.on("worker:resumed", () => heard.push("always"));
    events.emit("worker:resumed", resumed("w1"));
    events.emit("worker:resumed", resumed("w1"));
    expect(heard).toEqual(["once", "always", "always"]);
  });

  test("a listener that is added during an event hears the next one first", () => {
    const events = new EventEmitter();
    let late = 0;
    events.on("worker:resumed", () => {
      if (late === 0) events.on("worker:resumed", () => late++);
    });
    events.emit("worker:resumed", resumed("w1"));
    expect(late).toBe(0);
    events.emit("worker:resumed", resumed("w1"));
    expect(late).toBeGreaterThan(0);
  });

  test("two emitters do not hear each other", () => {
    const [one, other] = [new EventEmitter(), new EventEmitter()];
    let heard = 0;
    one.on("worker:resumed", () => heard++);
    other.emit("worker:resumed", resumed("w1"));
    expect(heard).toBe(0);
  });
});

describe("a listener that throws", () => {
  /** An emitter that writes down what is reported of its listeners. */
  function watched() {
    const events = new EventEmitter();
    const reports: EmbedqEvents["listener:failed"][] = [];
    events.on("listener:failed", (report) => reports.push(report));
    return { events, reports };
  }

  test("stops neither the emitter nor the other listeners, and is reported", () => {
    const { events, reports } = watched();
    const error = new Error("my listener is broken");
    let heard = 0;
    events.on("worker:resumed", () => {
      throw error;
    });
    events.on("worker:resumed", () => heard++);
    events.emit("worker:resumed", resumed("w1"));
    expect(heard).toBe(1);
    expect(reports).toEqual([{ event: "worker:resumed", error }]);
  });

  test.each(["words", undefined, Object.create(null)])(
    "is reported as an Error whatever it throws (%#)",
    (thrown) => {
      const { events, reports } = watched();
      events.on("worker:resumed", () => {
        throw thrown;
      });
      events.emit("worker:resumed", resumed("w1"));
      expect(reports).toEqual([{ event: "worker:resumed", error: expect.any(Error) }]);
    },
  );

  test("ends the reports where it is a listener of the reports", () => {
    const { events, reports } = watched();
    events.on("listener:failed", () => {
      throw new Error("the reporter is broken too");
    });
    events.on("worker:resumed", () => {
      throw new Error("my listener is broken");
    });
    events.emit("worker:resumed", resumed("w1"));
    expect(reports).toHaveLength(1);
  });

  test("is reported also where it is an async function", async () => {
    const { events, reports } = watched();
    // Settled by hand, so that the rejection is never unhandled in the test run itself.
    const rejected = Promise.reject(new Error("my async listener is broken"));
    rejected.catch(() => {});
    events.on("worker:resumed", (() => rejected) as () => void);
    events.emit("worker:resumed", resumed("w1"));
    await isSettled(rejected);
    expect(reports.map(({ error }) => error.message)).toEqual(["my async listener is broken"]);
  });
});
