// Faults between two steps: a link whose calls of one script pass through the test's hands.

import type { Link } from "../../../src/redis/link.ts";
import type { Reply } from "../../../src/redis/replies.ts";

/** Decides what becomes of a call: makes it or not, before or after something else, or throws. */
export type Hook = (call: () => Promise<Reply>) => Promise<Reply>;

/** The same link, but calls of the script with this name go through the hook. */
export function intercept(link: Link, script: string, hook: Hook): Link {
  return {
    keys: link.keys,
    run: (which, args, options) => {
      const call = () => link.run(which, args, options);
      return which.name === script ? hook(call) : call();
    },
    runOn: (which, keys, args, options) => {
      const call = () => link.runOn(which, keys, args, options);
      return which.name === script ? hook(call) : call();
    },
    send: (args, options) => link.send(args, options),
  };
}

/** Only the first call goes through the hook. */
export function once(hook: Hook): Hook {
  let isOver = false;
  return (call) => {
    if (isOver) return call();
    isOver = true;
    return hook(call);
  };
}

/** The call never reaches Redis. */
export const lostRequest: Hook = () => Promise.reject(new Error("the request was lost"));

/** Redis does what it was asked, but nobody hears of it. */
export const lostReply: Hook = async (call) => {
  await call();
  throw new Error("the reply was lost");
};

/** Something happens right before the call. */
export function before(act: () => unknown): Hook {
  return async (call) => {
    await act();
    return call();
  };
}

/** Something happens between the call and the use of its reply. */
export function after(act: () => unknown): Hook {
  return async (call) => {
    const reply = await call();
    await act();
    return reply;
  };
}

/** Holds calls back until `open`; `reached` resolves when the first of them is there. */
export class Gate {
  readonly reached: Promise<void>;
  readonly #opened: Promise<void>;
  #reach!: () => void;
  #open!: () => void;

  constructor() {
    this.reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  readonly hook: Hook = async (call) => {
    this.#reach();
    await this.#opened;
    return call();
  };

  open(): void {
    this.#open();
  }
}
