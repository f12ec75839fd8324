// embedq flush: what waits is drained now.

import { type AddCommand, defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { countedNoun } from "../format.ts";
import { duration, toggle } from "../options/schemas.ts";
import { option, optionWith } from "../options/spec.ts";

export const flush: AddCommand = defineCommand({
  name: "flush",
  summary: "drain what waits now, and wait until it is done",
  description: "Workers elsewhere do the work. What arrives meanwhile is not waited for.",
  examples: [
    ["flush --timeout 2m", "wait up to two minutes"],
    ["flush --no-wait", "only ask for it"],
  ],
  options: {
    timeout: optionWith("--timeout <time>", "how long to wait", duration, 15_000, "15s"),
    wait: option("--no-wait", "return at once", toggle),
  },
  async run(context, { timeout, wait }) {
    const { out, signal } = context;
    const queue = await context.queue();
    if (wait === false) {
      await queue.flushNow();
      if (out.isJson) out.json({ asked: true });
      else out.line("asked for");
      return EXIT.done;
    }
    const result = await queue.flushAndWait({ timeoutMs: timeout, signal });
    if (out.isJson) out.json(result);
    else if (result.done) out.line("done");
    else {
      const left = countedNoun(result.remaining, "text");
      out.warn(`embedq: ${left} not settled in time (does a worker run? see embedq stats)`);
    }
    return result.done ? EXIT.done : EXIT.failed;
  },
});
