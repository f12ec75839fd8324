// embedq backfill: texts that stand in hashes without a vector.

import { type AddCommand, defineCommand } from "../command.ts";
import { WALK, walk } from "../walking.ts";

export const backfill: AddCommand = defineCommand({
  name: "backfill",
  summary: "enqueue the texts of hashes that have no vector yet",
  description: `Walks over the keys of Redis beside everything that goes on; newer texts win. Ctrl-C ends it after its
page and prints the command to go on with.`,
  examples: [
    ["backfill --match 'doc:*' --text-field body", "hashes doc:… with the text in body"],
    ["backfill --match 'doc:*' --text-field body --wait", "and wait until they have vectors"],
  ],
  options: WALK,
  run: (context, options) => walk(context, options, (queue, range) => queue.backfill(range)),
});
