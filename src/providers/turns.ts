// One call after another, for models that cannot take two at once.

import { untilAborted } from "../model/deadline.ts";

/** Calls that take turns, in the order they came. */
export class Turns {
  /** Settled when the last of those in line has ended. Written by whoever joins. */
  #last: Promise<void> = Promise.resolve();

  /**
   * Runs the call when all before it have ended.
   *
   * @throws The signal's reason, where it is raised before the turn or during it. A call that was
   * given up counts as ended, so that a model that never answers does not stop the line.
   */
  async take<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const before = this.#last;
    let leave = () => {};
    const mine = new Promise<void>((resolve) => {
      leave = resolve;
    });
    // Who leaves while waiting does not let those behind pass the call in front.
    this.#last = before.then(() => mine);
    try {
      await untilAborted(before, signal);
      return await untilAborted(call(), signal);
    } finally {
      leave();
    }
  }
}
