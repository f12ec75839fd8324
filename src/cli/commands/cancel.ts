// embedq cancel: outstanding work of keys is taken away.

import { type AddCommand, defineCommand } from "../command.ts";
import { oneLine } from "../format.ts";

export const cancel: AddCommand = defineCommand({
  name: "cancel",
  args: "<key...>",
  summary: "take the outstanding work of keys away",
  description:
    "Says for each key what was found: waiting (gone now), inFlight (its vector may still arrive) or absent.",
  examples: [["cancel doc:7 doc:8", "two keys"]],
  options: {},
  async run(context, _options, keys) {
    const queue = await context.queue();
    const found: { key: string; result: string }[] = [];
    for (const key of keys) {
      context.signal.throwIfAborted();
      found.push({ key, result: await queue.cancel(key) });
    }
    if (context.out.isJson) context.out.json(found);
    else for (const { key, result } of found) context.out.line(`${oneLine(key)}  ${result}`);
    return undefined;
  },
});
