// embedq search: the nearest neighbours of a text, by reading every vector. For larger sets there is
// FT.SEARCH (docs/guides/search.md).

import { type AddCommand, defineCommand } from "../command.ts";
import { UsageError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { countedNoun, oneLine, span } from "../format.ts";
import { Nearest, type Neighbour } from "../nearest.ts";
import { count, word } from "../options/schemas.ts";
import { PROVIDER } from "../options/shared.ts";
import { option, optionWith } from "../options/spec.ts";
import type { Output } from "../output.ts";
import { Progress } from "../progress.ts";
import { embedderOf } from "../provider.ts";
import { embedQuery } from "../query.ts";

export const search: AddCommand = defineCommand({
  name: "search",
  args: "<text>",
  summary: "find the nearest neighbours of a text, by reading all vectors",
  description:
    "Exact, and as fast as the hashes can be read: fine up to some hundred thousand. The provider must be that of the queue.",
  examples: [
    ['search "how do streams keep order" --provider openai', "the ten nearest"],
    ['search "refunds" --match "doc:*" --show title --limit 3', "of some keys, with a field"],
  ],
  options: {
    match: optionWith("--match <pattern>", "which keys to look at", word, "*"),
    limit: optionWith("--limit <count>", "how many to find", count(1, 10_000), 10),
    show: option("--show <field>", "a field of the hash to print with each", word),
    ...PROVIDER,
  },
  async run(context, { match, limit, show, ...provider }, [text = ""]) {
    const { out, signal } = context;
    if (text.trim() === "") throw new UsageError("The text to look for is blank");
    const options = await embedderOf(provider, signal);
    const queue = await context.queue();
    const query = await embedQuery(options, queue.settings.space, text, signal);
    const nearest = new Nearest(query, limit);
    const progress = new Progress(out, "read");
    let [read, skipped] = [0, 0];
    for await (const { key, embedding } of queue.embeddings({ match, signal })) {
      read++;
      if (embedding === undefined || !nearest.offer(key, embedding)) skipped++;
      progress.update({ done: read });
    }
    progress.end();
    const found: Found[] = [];
    for (const neighbour of nearest.found) {
      const held =
        show === undefined ? undefined : await queue.get(neighbour.key, { fields: [show] });
      found.push({ ...neighbour, shown: show === undefined ? undefined : held?.fields[show] });
    }
    print(out, found, show);
    const compared = `${countedNoun(read - skipped, "vector")} compared in ${span(progress.elapsedMs)}`;
    out.note(
      out.noteStyle.dim(
        skipped === 0 ? compared : `${compared}, ${skipped} blank, dead or of another size`,
      ),
    );
    return found.length === 0 ? EXIT.failed : EXIT.done;
  },
});

type Found = Neighbour & { readonly shown: string | undefined };

function print(out: Output, found: readonly Found[], show: string | undefined): void {
  if (out.isJson) {
    // A field that is itself called key or score does not take the place of these.
    const named = (shown: string | undefined) => (show === undefined ? {} : { [show]: shown });
    out.json(found.map(({ shown, ...neighbour }) => ({ ...named(shown), ...neighbour })));
    return;
  }
  const width = Math.max(0, ...found.map(({ key }) => oneLine(key).length));
  for (const neighbour of found) {
    const { key, score } = neighbour;
    const shown = show === undefined ? "" : `  ${oneLine(neighbour.shown ?? "-")}`;
    const line = `${score.toFixed(4)}  ${oneLine(key).padEnd(shown === "" ? 0 : width)}${shown}`;
    out.line(oneLine(line, out.isLive ? out.columns : undefined));
  }
  if (found.length === 0)
    out.warn("No vectors there to compare with (embedq stats shows what waits)");
}
