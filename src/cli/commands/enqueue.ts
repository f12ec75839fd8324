// embedq enqueue: texts from files, pipes or the command line, into the queue.

import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { type AddCommand, defineCommand } from "../command.ts";
import { type Context, LONG_COMMAND_TIMEOUT_MS } from "../context.ts";
import { UsageError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { oneLine } from "../format.ts";
import { type FeedOptions, type FeedPlan, feed } from "../input/feed.ts";
import { FORMATS, formatOf, rowReader } from "../input/formats.ts";
import { itemMaker } from "../input/items.ts";
import { sourceOf } from "../input/source.ts";
import { MODEL } from "../options/producer.ts";
import { choice, count, duration, parsed, toggle, word } from "../options/schemas.ts";
import { PRODUCER } from "../options/shared.ts";
import { option, optionWith, type Values } from "../options/spec.ts";
import { Outstanding } from "../outstanding.ts";

const MIB = 1024 * 1024;

const OPTIONS = {
  format: option(
    "--format <format>",
    `${FORMATS.join(", ")}; by default what the file's name says, and jsonl for stdin`,
    choice(...FORMATS),
  ),
  keyField: option("--key-field <name>", 'field that holds the key, "key" unless said', word),
  keyTemplate: option(
    "--key-template <template>",
    "keys made of fields, {line} and {sha256} (of the text): 'doc:{id}'",
    word,
  ),
  textField: option("--text-field <name>", 'field that holds the text, "text" unless said', word),
  textTemplate: option(
    "--text-template <template>",
    "texts made of fields: '{title}\\n{body}'",
    word,
  ),
  delimiter: option(
    "--delimiter <text>",
    'between the columns of CSV, "," unless said; \\t is a tab',
    parsed("must be a character or more, and no quote", (value) =>
      typeof value === "string" && /^[^"\n\r]+$/.test(value)
        ? value.replaceAll("\\t", "\t")
        : undefined,
    ),
  ),
  onBadLine: optionWith(
    "--on-bad-line <choice>",
    "skip it and go on, or stop before it",
    choice("stop", "skip"),
    "stop",
  ),
  skipLines: optionWith(
    "--skip-lines <count>",
    "pass over the first lines of the first file, to go on where an earlier run ended",
    count(0),
    0,
    "0",
  ),
  maxLineBytes: optionWith(
    "--max-line-bytes <bytes>",
    "a longer line is a bad one",
    count(1, 512 * MIB),
    16 * MIB,
    "16 MiB",
  ),
  dryRun: option("--dry-run", "read and check everything, enqueue nothing", toggle),
  wait: option("--wait", "wait until each text has its vector or is given up", toggle),
  timeout: option("--timeout <time>", "with --wait, give up after this long", duration),
  maxPending: optionWith(
    "--max-pending <count>",
    "with --wait, read on only while fewer of these texts are not settled",
    count(),
    10_000,
    "10,000",
  ),
  flush: option("--flush", "let workers take what waits at once, also less than a batch", toggle),
  key: option("--key <key>", "one text: its key", word),
  text: option(
    "--text <text>",
    "one text, without a file",
    parsed("must be a text", (value) => (typeof value === "string" ? value : undefined)),
  ),
  ...PRODUCER,
  ...MODEL,
};

type EnqueueValues = Values<typeof OPTIONS>;

export const enqueue: AddCommand = defineCommand({
  name: "enqueue",
  args: "[file...]",
  summary: "put texts into the queue, from files or a pipe",
  description: `JSON lines ({"key": …, "text": …}), CSV or TSV with a header line, or plain lines, one text each.
Files of any size take the same memory; gzip is unpacked. "-", or a pipe without a name, is standard
input. Blank lines are passed over. Lines that cannot be used are named with their number.

Ends with 1 where it stopped at a bad line, with 4 where bad lines were skipped, or, with --wait,
texts were given up.`,
  examples: [
    ["enqueue docs.jsonl", 'lines like {"key": "doc:1", "text": "…"}'],
    ["enqueue docs.csv --key-template 'doc:{id}' --text-field body", "columns id and body"],
    ["enqueue notes.txt --key-template 'note:{sha256}' --wait", "a text a line; wait for vectors"],
    ["enqueue --key doc:1 --text 'Streams keep order'", "one text"],
    ["enqueue - --on-bad-line skip < dump.jsonl", "from a pipe, whatever is in it"],
  ],
  options: OPTIONS,
  async run(context, options, files) {
    const isOne = options.key !== undefined || options.text !== undefined;
    return isOne ? enqueueOne(context, options, files) : enqueueFiles(context, options, files);
  },
});

async function enqueueFiles(
  context: Context,
  options: EnqueueValues,
  files: readonly string[],
): Promise<number> {
  if (files.length === 0 && process.stdin.isTTY) {
    throw new UsageError(
      "What is to be enqueued? Name a file, pipe lines in, or give --key and --text",
    );
  }
  keepHeapSmall();
  const plan = await planOf(context, options, files.length === 0 ? ["-"] : files);
  if (options.dryRun === true) return feed(context, plan, undefined, undefined);
  const queue = await openQueue(context, options, LONG_COMMAND_TIMEOUT_MS);
  const outstanding = options.wait === true ? outstandingOf(context, queue, options) : undefined;
  return feed(context, plan, queue, outstanding);
}

/**
 * Node lets garbage of a long input pile up to several times of what is in use, 12 MB; so it is looked
 * for sooner. Costs nothing that can be measured beside Redis.
 */
function keepHeapSmall(): void {
  const { bun, deno } = process.versions as { bun?: string; deno?: string };
  if (bun === undefined && deno === undefined) setFlagsFromString("--heap-growing-percent=40");
}

/** Everything that can be wrong with the call is found here, before Redis is asked. */
async function planOf(
  { name }: Context,
  options: EnqueueValues,
  paths: readonly string[],
): Promise<FeedPlan> {
  if (paths.indexOf("-") !== paths.lastIndexOf("-")) throw new UsageError("- can stand only once");
  const inputs = [];
  for (const path of paths) {
    const format = formatOf(path, options.format);
    const source = await sourceOf(path);
    const maker = itemMaker(format, { ...options, queueName: name });
    inputs.push({
      source,
      maker,
      reader: () => rowReader(format, options, source.name, maker.needed),
    });
  }
  const { onBadLine, skipLines, maxPending, flush } = options;
  const feedOptions: FeedOptions = {
    stopsAtBadLine: onBadLine === "stop",
    skipLines,
    maxPending,
    flushes: flush === true || options.wait === true,
  };
  return { inputs, ...feedOptions };
}

async function enqueueOne(
  context: Context,
  options: EnqueueValues,
  files: readonly string[],
): Promise<number> {
  const { out } = context;
  const { key, text } = options;
  if (key === undefined || text === undefined || files.length > 0) {
    throw new UsageError("One text needs --key and --text, and no file");
  }
  const queue = await openQueue(context, options);
  const ticket = await queue.enqueue(key, text);
  if (options.flush === true || options.wait === true) await queue.flushNow();
  if (options.wait !== true) {
    if (out.isJson) out.json(ticket);
    else out.line(`enqueued ${oneLine(key)} at version ${ticket.version}`);
    return EXIT.done;
  }
  const outstanding = outstandingOf(context, queue, options);
  outstanding.add([ticket]);
  await outstanding.atMost(0);
  const [status = "gone"] = Object.entries(outstanding.counts).find(([, many]) => many > 0) ?? [];
  if (out.isJson) out.json({ ...ticket.toJSON(), status });
  else out.line(`${status} ${oneLine(key)}`);
  return status === "dead" ? EXIT.partly : EXIT.done;
}

type Queue = Awaited<ReturnType<Context["queue"]>>;

function openQueue(
  context: Context,
  { onMissing, model, dimensions, task }: EnqueueValues,
  commandTimeoutMs?: number,
): Promise<Queue> {
  const patience = commandTimeoutMs === undefined ? {} : { commandTimeoutMs };
  return context.queue({ mustExist: false, onMissing, model, dimensions, task, ...patience });
}

function outstandingOf(
  { out, signal }: Context,
  queue: Queue,
  { timeout }: EnqueueValues,
): Outstanding {
  return new Outstanding({ queue, out, signal, timeoutMs: timeout });
}
