// Stage 7: work is let go of, in one script call for a batch: done, due again later, or dead.

import type { Job } from "../model/job.ts";
import { spaceTag, type VectorSpace } from "../model/settings.ts";
import type { Link } from "../redis/link.ts";
import {
  type FailResult,
  type Failure,
  type GiveUpResult,
  runFail,
  runGiveUp,
  runSettle,
  type SettleResult,
} from "../redis/scripts/settle.ts";
import { runStatus } from "../redis/scripts/state.ts";

/** Items in one script call: 5 to 10 µs an item. */
const MAX_ITEMS = 512;

/** Lets go of written work; undefined where the queue has another vector space by now: embed again. */
export async function settleJobs(
  link: Link,
  space: VectorSpace,
  jobs: readonly Job[],
): Promise<readonly SettleResult[] | undefined> {
  const results: SettleResult[] = [];
  for (const page of pagesOf(jobs)) {
    const settled = await runSettle(link, spaceTag(space), page);
    if (settled === undefined) return undefined;
    results.push(...settled);
  }
  return results;
}

/** Gives work back, each with its own backoff; `rings` tells other workers that it is there. */
export async function failJobs(
  link: Link,
  worker: string,
  failures: readonly Failure[],
  rings: boolean,
): Promise<readonly FailResult[]> {
  const results: FailResult[] = [];
  for (const page of pagesOf(failures)) {
    results.push(...(await runFail(link, worker, page, rings)));
  }
  return results;
}

/** Makes dead letters of work whose destinations are marked. */
export async function giveUpJobs(
  link: Link,
  jobs: readonly (Job & { readonly reason: string })[],
): Promise<readonly GiveUpResult[]> {
  const results: GiveUpResult[] = [];
  for (const page of pagesOf(jobs)) results.push(...(await runGiveUp(link, page)));
  return results;
}

/** Whether each job's text is still what the queue wants for its key. */
export async function areOutstanding(
  link: Link,
  jobs: readonly Job[],
): Promise<readonly boolean[]> {
  const keys = jobs.map(({ key }) => key);
  const versions = await runStatus(link, keys);
  return jobs.map(({ version }, i) => versions[i] === version);
}

/** Tells waiters that nothing will be stored for these keys: an event of the destination never comes. */
export async function ringGone(link: Link, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => link.send(["PUBLISH", link.keys.doorbell, `gone ${key}`])));
}

function* pagesOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += MAX_ITEMS) yield items.slice(at, at + MAX_ITEMS);
}
