// embedq config: what all processes of a queue share; shown, and changed for all.

import type { RequestedSettings, StoredSettings } from "../../index.ts";
import { type AddCommand, defineCommand, defineGroup } from "../command.ts";
import { UsageError } from "../errors.ts";
import { span } from "../format.ts";
import { PROVIDER, SETTINGS } from "../options/shared.ts";
import { flagOnly } from "../options/spec.ts";
import type { Output } from "../output.ts";

const show: AddCommand = defineCommand({
  name: "show",
  isDefault: true,
  summary: "show the settings of the queue",
  examples: [["config show --json", "as data"]],
  options: {},
  async run(context) {
    const queue = await context.queue();
    print(context.out, queue.settings);
    return undefined;
  },
});

/** The environment and the config file stay out: what is to change is said here and now. */
const CHANGES = {
  maxBatchSize: flagOnly(SETTINGS.maxBatchSize),
  flushInterval: flagOnly(SETTINGS.flushInterval),
  lease: flagOnly(SETTINGS.lease),
  maxAttempts: flagOnly(SETTINGS.maxAttempts),
  maxDeadLetters: flagOnly(SETTINGS.maxDeadLetters),
  model: flagOnly(PROVIDER.model),
  dimensions: flagOnly(PROVIDER.dimensions),
  task: flagOnly(PROVIDER.task),
};

const set: AddCommand = defineCommand({
  name: "set",
  summary: "change settings for all processes, while they work",
  description:
    "Another model is refused while texts are in flight: embedq pause first. Then start workers with it, and embedq reembed what is stored.",
  examples: [
    ["config set --flush-interval 30s", "texts wait at most half a minute"],
    ["config set --model text-embedding-3-large --dimensions 3072", "another model"],
  ],
  options: CHANGES,
  async run(context, options) {
    const { flushInterval: flushIntervalMs, lease: leaseMs, ...rest } = options;
    const changes: RequestedSettings = { ...rest, flushIntervalMs, leaseMs };
    if (Object.values(changes).every((value) => value === undefined)) {
      throw new UsageError("Nothing to change: name a setting, like --flush-interval 30s");
    }
    const queue = await context.queue();
    const before = queue.settings.space;
    const settings = await queue.configure(changes);
    print(context.out, settings);
    const { model, dimensions } = settings.space ?? {};
    if (before !== undefined && (before.model !== model || before.dimensions !== dimensions)) {
      context.out.note(
        "Now start workers with this model, and make the stored vectors anew: embedq reembed",
      );
    }
    return undefined;
  },
});

function print(out: Output, settings: StoredSettings): void {
  if (out.isJson) {
    out.json(settings);
    return;
  }
  const { space, ...rest } = settings;
  const facts: [string, unknown][] = [
    ["model", space?.model ?? "not chosen yet"],
    ["dimensions", space?.dimensions ?? "-"],
    ...(space?.task ? [["task", space.task] as [string, string]] : []),
    ...Object.entries(rest),
  ];
  for (const [name, value] of facts) {
    const shown = name.endsWith("Ms") ? span(Number(value)) : String(value ?? "-");
    out.line(`${name.replace(/Ms$/, "").padEnd(16)} ${shown}`);
  }
}

export const config: AddCommand = defineGroup(
  "config",
  "show or change what all processes of the queue share",
  [show, set],
);
