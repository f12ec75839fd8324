// embedq reembed: hashes that hold another vector than the present model would give.

import { type AddCommand, defineCommand } from "../command.ts";
import { toggle } from "../options/schemas.ts";
import { option } from "../options/spec.ts";
import { WALK, walk } from "../walking.ts";

export const reembed: AddCommand = defineCommand({
  name: "reembed",
  summary: "enqueue the texts of hashes whose vector is of another model or text",
  description: `After a change of the model (embedq config set), or of texts that were not enqueued. Hashes without a
vector are for embedq backfill. Ctrl-C ends it after its page and prints the command to go on with.`,
  examples: [
    ["reembed --match 'doc:*' --text-field body", "all that is not of the present model"],
    ["reembed --match 'doc:*' --text-field body --include-dead --wait", "also what was given up"],
  ],
  options: {
    ...WALK,
    includeDead: option("--include-dead", "try again what was given up", toggle),
  },
  run: (context, options) =>
    walk(context, options, (queue, range) =>
      queue.reembed({ ...range, includeDead: options.includeDead }),
    ),
});
