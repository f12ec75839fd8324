// Everything that is measured, by name.

import type { Contender } from "../contender.ts";
import { bare } from "./bare.ts";
import { beeQueue } from "./bee-queue.ts";
import { bullmq } from "./bullmq.ts";
import { embedq } from "./embedq.ts";
import { groupmq } from "./groupmq.ts";
import { raw } from "./raw.ts";
import { replaced } from "./replaced.ts";

export const CONTENDERS = {
  embedq: embedq(true),
  "embedq-unchecked": embedq(false),
  raw,
  bare,
  bullmq: bullmq(false),
  "bullmq-dataloader": bullmq(true),
  "bee-queue": beeQueue,
  groupmq,
  replaced,
} satisfies Record<string, Contender>;

export type ContenderName = keyof typeof CONTENDERS;

/** Those that are made of what the checkout has installed anyway. */
export const OWN: ReadonlySet<ContenderName> = new Set([
  "embedq",
  "embedq-unchecked",
  "raw",
  "bare",
  "replaced",
]);
