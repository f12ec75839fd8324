// embedq export: the stored vectors, as lines of JSON or as a NumPy matrix with its keys.

import type { EmbeddingQueue } from "../../index.ts";
import { type AddCommand, defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { JsonlTarget } from "../export/jsonl.ts";
import { keysPath, NpyTarget } from "../export/npy.ts";
import type { ExportTarget } from "../export/target.ts";
import { countedNoun, span } from "../format.ts";
import { choice, toggle, word } from "../options/schemas.ts";
import { option, optionWith, type Values } from "../options/spec.ts";
import { Progress } from "../progress.ts";

const OPTIONS = {
  match: optionWith("--match <pattern>", "which keys", word, "*"),
  format: option(
    "--format <format>",
    "jsonl or npy; without it, as the file is called",
    choice("jsonl", "npy"),
  ),
  fields: option("--fields <names>", "fields of each hash to add, with commas between", word),
  base64: option("--base64", "vectors as base64 of their bytes instead of numbers", toggle),
  all: option("--all", "blank and dead ones too", toggle),
};

export const exportCommand: AddCommand = defineCommand({
  name: "export",
  args: "[file]",
  summary: "write the stored vectors to a file or a pipe",
  description:
    "Without a file, or with -, to standard output. As JSON lines { key, status, version, source, embedding }, or as a NumPy matrix (.npy) with its keys beside it (.keys.jsonl, a JSON string a line). Blank and dead texts, whose vectors are zeros, are left out. Redis may name a key twice while its data grows or shrinks.",
  examples: [
    ['export vectors.npy --match "doc:*"', "a matrix, and vectors.keys.jsonl"],
    ["export --fields title,url > vectors.jsonl", "lines with two fields of each hash"],
    ["export --base64 | gzip > vectors.jsonl.gz", "the bytes in base64, far smaller"],
  ],
  options: OPTIONS,
  async run(context, options, [path]) {
    const { out } = context;
    const file = path === "-" ? undefined : path;
    const isNpy = (options.format ?? (file?.endsWith(".npy") ? "npy" : "jsonl")) === "npy";
    if (isNpy && file === undefined) {
      throw new UsageError("A NumPy matrix needs a file: embedq export vectors.npy");
    }
    if (isNpy && (options.fields !== undefined || options.base64 === true)) {
      throw new UsageError("--fields and --base64 are for JSON lines, not for a NumPy matrix");
    }
    const queue = await context.queue();
    const target = isNpy
      ? await NpyTarget.open(file ?? "", queue.settings.space?.dimensions)
      : await JsonlTarget.open(file, out, options.base64 === true);
    const progress = new Progress(out, "exported");
    try {
      const { written, skipped } = await fill(target, queue, context, options, progress);
      await target.finish();
      progress.end();
      const keys = isNpy ? `, keys in ${keysPath(file ?? "")}` : "";
      const time = span(progress.elapsedMs);
      out.note(`${countedNoun(written, "vector")} in ${time}${keys}`);
      if (skipped === 0) return EXIT.done;
      out.warn(`embedq: ${countedNoun(skipped, "vector")} of another size left out`);
      return EXIT.partly;
    } catch (error) {
      await target.abandon();
      throw error;
    }
  },
});

async function fill(
  target: ExportTarget,
  queue: EmbeddingQueue,
  { signal }: Context,
  { match, fields, all }: Values<typeof OPTIONS>,
  progress: Progress,
): Promise<{ written: number; skipped: number }> {
  const names = fields?.split(",").map((name) => name.trim());
  let [written, skipped] = [0, 0];
  for await (const stored of queue.embeddings({ match, fields: names, signal })) {
    const isZero = stored.status === "blank" || stored.status === "dead";
    if (stored.embedding === undefined || (isZero && all !== true)) continue;
    if (await target.add(stored, stored.embedding)) written++;
    else skipped++;
    progress.update({ done: written });
  }
  return { written, skipped };
}
