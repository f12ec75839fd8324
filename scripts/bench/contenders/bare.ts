// No queue at all: loops that call the provider for texts in memory. What the provider itself allows.

import type { Contender } from "../contender.ts";
import type { Item } from "../items.ts";

let waiting: Item[] = [];
let wake = () => {};

export const bare: Contender = {
  settings: "the provider called by as many loops, from memory, nothing stored",
  stores: false,

  produce() {
    return Promise.resolve({
      enqueueMany(items) {
        waiting = [...items];
        wake();
        return Promise.resolve();
      },
      enqueue(item) {
        return this.enqueueMany([item]);
      },
      outstanding: () => Promise.resolve(waiting.length),
      close: () => Promise.resolve(),
    });
  },

  work({ batchSize, concurrency }, provider, onSettled) {
    const loop = async () => {
      while (waiting.length > 0) {
        const batch = waiting.splice(0, batchSize);
        await provider(batch.map(({ text }) => text));
        onSettled(batch.length);
      }
    };
    const start = () => {
      for (let i = 0; i < concurrency; i++) loop().catch((error: unknown) => console.error(error));
    };
    wake = start;
    start();
    return Promise.resolve({ close: () => Promise.resolve() });
  },
};
