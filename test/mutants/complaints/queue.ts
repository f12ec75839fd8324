// What makes waits end, updates win and Redis stay small, taken away.

import type { Mutant } from "../mutant.ts";
import { complaint } from "./complaint.ts";

const CLAIM = "redis/scripts/claim.ts";
const ENQUEUE = "redis/scripts/enqueue.ts";

/** The queue: waits, updates, memory, stalls, and what can be seen. */
export const QUEUE: readonly Mutant[] = [
  complaint(
    "09-waits",
    "a wait that begins after the vector was stored ends at once",
    "a wait does not look after subscribing",
    [
      "flow/wait.ts",
      "for (const channel of channels) this.#check(this.#keyOf(channel), true);",
      "void channels;",
    ],
  ),
  complaint(
    "09-waits",
    "a wait for a text that a newer one replaced ends with the newer one's vector",
    "only a wait's own version ends it",
    [
      "flow/wait.ts",
      "if (stored.version >= waiter.version) {",
      "if (stored.version === waiter.version) {",
    ],
  ),
  complaint(
    "09-waits",
    "waits outlive the loss of every connection",
    "waits end with their connection",
    [
      "session.ts",
      'this.events.emit("connection:lost", { role: "subscriber", error });',
      'this.events.emit("connection:lost", { role: "subscriber", error }); this.waits.close(error);',
    ],
  ),
  complaint(
    "10-newest",
    "an update while the text waits replaces it, and costs one call",
    "the text that waits is kept",
    [ENQUEUE, "and textOf(live) == text then", "then"],
  ),
  complaint(
    "10-newest",
    "an update while the old text is under way is embedded after it",
    "the old text's end is that of the new one",
    [
      "redis/scripts/settle.ts",
      "if isAsClaimed or live and live.version == tonumber(version) then",
      "if isAsClaimed or live then",
    ],
  ),
  complaint(
    "10-newest",
    "a text that is updated without end is embedded all the same",
    "each update begins the wait anew",
    [
      ENQUEUE,
      "id = live.id -- still waiting: the newest text takes its place",
      "removeEntry(live.id) id = redis.call('XADD', PENDING, '*', 'key', key)",
    ],
  ),
  complaint(
    "11-memory",
    "of finished work nothing is left in the queue's own keys",
    "something of each finished text is kept",
    [
      "redis/scripts/settle.ts",
      "each(doneIds, 'XDEL', PENDING)\nringIfFlushed()",
      "each(doneIds, 'XDEL', PENDING) for _, key in ipairs(doneKeys) do redis.call('HSET', USAGE, key, 'done') end ringIfFlushed()",
    ],
  ),
  complaint(
    "12-stalls",
    "a call that takes many leases is not made a second time",
    "leases are not renewed",
    ["drain.ts", "this.#renewal.start();", ""],
  ),
  complaint(
    "12-stalls",
    "a text whose workers die is given up after four deliveries, and the others are embedded",
    "deliveries are never enough",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of src/ has it so
    [CLAIM, "or lost >= ${GIVE_UP_AFTER} then", "then"],
  ),
  complaint(
    "15-usage",
    "calls, texts, tokens, fill and reasons are in the stats, for the queue and for each worker",
    "calls are not counted",
    ["pipeline.ts", "this.#context.usage.add(counts);", ""],
  ),
  complaint(
    "15-usage",
    "calls, texts, tokens, fill and reasons are in the stats, for the queue and for each worker",
    "every claim was due by size",
    [
      CLAIM,
      "if taken > 0 and reason == '' then reason = why end",
      "if taken > 0 then reason = 'size' end",
    ],
  ),
];
