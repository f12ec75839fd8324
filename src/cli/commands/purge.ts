// embedq purge: all outstanding work is taken away, after a question.

import process from "node:process";
import { createInterface } from "node:readline/promises";
import type { QueueStats } from "../../index.ts";
import { type AddCommand, defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError, UsageError } from "../errors.ts";
import { countedNoun, oneLine } from "../format.ts";
import { newestLetter, removeLettersUpTo } from "../letters.ts";
import { toggle } from "../options/schemas.ts";
import { option } from "../options/spec.ts";
import { Progress } from "../progress.ts";

export const purge: AddCommand = defineCommand({
  name: "purge",
  summary: "take all outstanding work away (asks first)",
  description: `Texts that wait, are in flight or in their backoff are not embedded; vectors that are stored stay. What
is in flight may still arrive. What is enqueued meanwhile stays. Settings stay.`,
  examples: [
    ["purge", "asks first"],
    ["purge --yes --dead", "for scripts; the dead letters too"],
  ],
  options: {
    yes: option("--yes", "do not ask", toggle),
    dead: option("--dead", "remove the dead letters too", toggle),
  },
  async run(context, { yes, dead }) {
    const { out, signal } = context;
    if (yes !== true && !process.stdin.isTTY) {
      throw new UsageError("Nobody can be asked here: say --yes to purge without a question");
    }
    const queue = await context.queue();
    const stats = await queue.stats();
    // Texts that die meanwhile have letters after this one.
    const newest = dead === true ? await newestLetter(queue) : undefined;
    if (yes !== true) await ask(context, stats, dead === true);
    const progress = new Progress(out, "purged");
    const { removed, done } = await queue
      .purge({
        signal,
        onProgress: (state) => progress.update({ done: state.removed, total: state.total }),
      })
      .finally(() => progress.end());
    const letters = dead === true && done ? await removeLettersUpTo(queue, newest, signal) : 0;
    if (out.isJson) out.json({ removed, done, ...(dead === true && { deadRemoved: letters }) });
    else {
      const also = dead === true ? `, ${countedNoun(letters, "dead letter")}` : "";
      out.line(`${countedNoun(removed, "text")}${also} removed`);
    }
    signal.throwIfAborted();
    return undefined;
  },
});

/** @throws {CommandError} Where the answer is not yes. */
async function ask(
  { name, signal }: Context,
  { waiting, inFlight, parked, dead }: QueueStats,
  withDead: boolean,
): Promise<void> {
  const parts = [`${waiting} waiting`, `${inFlight} in flight`, `${parked} parked`];
  if (withDead) parts.push(countedNoun(dead, "dead letter"));
  const question = `Purge ${oneLine(name)}: ${parts.join(", ")}? Type yes: `;
  // Without its own terminal mode, Ctrl-C stays what it is everywhere.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const answer = await new Promise<string>((resolve) => {
      // The end of the input is an answer too.
      lines.once("close", () => resolve(""));
      lines.question(question, { signal }).then(resolve, () => resolve(""));
    });
    signal.throwIfAborted();
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new CommandError("Nothing was purged");
}
