// How a wait ends.

import type { Mutant } from "../mutant.ts";

export const WAITS: readonly Mutant[] = [
  {
    name: "a wait reads the destination first",
    file: "flow/wait.ts",
    from: "const stored = await readDestinations(this.#stage.link, this.#stage.fields(), wanted);",
    to: "const stored = await readDestinations(this.#stage.link, this.#stage.fields(), wanted); for (const [i, version] of (await runStatus(this.#stage.link, asked)).entries()) outstanding.set(asked[i] as string, version ?? 0);",
    caughtBy: {
      file: "protocol/wait",
      test: "a text that is written and settled right after the read of a waiter is not gone",
    },
  },
  {
    name: "a wait does not look after subscribing",
    file: "flow/wait.ts",
    from: "for (const channel of channels) this.#check(this.#keyOf(channel), true);",
    to: "void channels;",
    caughtBy: {
      file: "protocol/wait",
      test: "what was written before the channel was heard is looked up once it is",
    },
  },
  {
    name: "an event alone says gone",
    file: "flow/wait.ts",
    from: "this.#check(this.#keyOf(channel), false);",
    to: "this.#check(this.#keyOf(channel), true);",
    caughtBy: {
      file: "protocol/wait",
      test: "a destination's event alone never says gone; the word of a cancel does",
    },
  },
];
