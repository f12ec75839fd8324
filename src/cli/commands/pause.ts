// embedq pause, embedq resume: all workers of a queue stop claiming, or go on.

import { type AddCommand, defineCommand } from "../command.ts";

export const pause: AddCommand = defineCommand({
  name: "pause",
  summary: "stop all workers from claiming, until resume",
  description: "Stored in Redis. Calls in flight are finished; texts can still be enqueued.",
  examples: [["pause", "hold everything"]],
  options: {},
  async run(context) {
    const queue = await context.queue();
    await queue.pause();
    if (context.out.isJson) context.out.json({ paused: true });
    else context.out.line("paused");
    return undefined;
  },
});

export const resume: AddCommand = defineCommand({
  name: "resume",
  summary: "let workers claim again, also where an outage paused them",
  examples: [["resume", "go on, with one call that tries first"]],
  options: {},
  async run(context) {
    const queue = await context.queue();
    await queue.resume();
    if (context.out.isJson) context.out.json({ paused: false });
    else context.out.line("resumed");
    return undefined;
  },
});
