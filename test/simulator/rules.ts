// What must hold after every single step, in a queue that nobody has damaged. The verdict at the
// end cannot see what was wrong only for a moment.

import type { Call } from "./actor.ts";
import { type GivenText, nameOf } from "./ledger.ts";
import { type Destination, EMPTY_SNAPSHOT, type Snapshot } from "./snapshot.ts";
import { mayDie, textOfDigest, vectorName, ZERO_VECTOR_NAME } from "./texts.ts";
import type { World } from "./world.ts";

const PARKED = "parked";
const NOTHING: Destination = {
  exists: false,
  version: 0,
  status: "",
  digest: "",
  vector: undefined,
};

export class Rules {
  readonly #world: World;
  #before: Snapshot = EMPTY_SNAPSHOT;
  /** The one text that a version of a key stands for. */
  readonly #texts = new Map<string, string>();
  readonly #compared = new Set<GivenText>();

  constructor(world: World) {
    this.#world = world;
  }

  /** @param call What was done; undefined where it was no process of embedq. */
  check(after: Snapshot, call: Call | undefined): void {
    const before = this.#before;
    this.#before = after;
    if (this.#world.ledger.damage !== undefined) return;
    this.#checkStructure(after);
    this.#checkAttempts(before, after);
    this.#checkFrozen(before, after);
    this.#checkOwners(before, after, call);
    if (this.#world.mode === "killer") this.#checkDeliveries(after);
    for (const key of this.#world.plan.keys) this.#checkDestination(key, before, after);
    this.#checkVersions(after);
    this.#checkAccepted(after);
  }

  /** One live entry for a key, the one that dedup names; any other is in a worker's hands. */
  #checkStructure({ dedup, entries, pending }: Snapshot): void {
    for (const [key, outstanding] of dedup) {
      if (outstanding === undefined) this.#report("structure", `unreadable dedup field ${key}`);
      else if (entries.get(outstanding.entryId) !== key) {
        this.#report("structure", `dedup names a missing entry for ${key}`);
      }
    }
    for (const [id, key = ""] of entries) {
      if (dedup.get(key)?.entryId === id) continue;
      const owner = pending.get(id)?.owner;
      if (owner === undefined) this.#report("structure", `a superseded entry waits for ${key}`);
      else if (owner === PARKED)
        this.#report("structure", `a superseded entry of ${key} is parked`);
    }
    for (const id of pending.keys()) {
      if (!entries.has(id)) this.#report("structure", `entry ${id} is pending but deleted`);
    }
  }

  /** Attempts belong to the text: a new one begins without, and none outlives it. */
  #checkAttempts(before: Snapshot, after: Snapshot): void {
    for (const key of after.retries) {
      const version = after.dedup.get(key)?.version;
      const earlier = before.dedup.get(key)?.version;
      if (version === undefined) this.#report("attempts", `attempts without a text: ${key}`);
      else if (earlier !== undefined && earlier !== version) {
        this.#report("attempts", `attempts of an older text: ${key}`);
      }
    }
  }

  /** An entry that was delivered stands for one version for life. */
  #checkFrozen(before: Snapshot, after: Snapshot): void {
    for (const [key, was] of before.dedup) {
      const is = after.dedup.get(key);
      if (was === undefined || is === undefined || is.entryId !== was.entryId) continue;
      if (before.pending.has(was.entryId) && is.version !== was.version) {
        this.#report("frozen", `the delivered entry of ${key} stands for another version`);
      }
    }
  }

  /** Only a claim takes an entry from somebody; only its owner parks it. */
  #checkOwners(before: Snapshot, after: Snapshot, call: Call | undefined): void {
    const worker = String(call?.args[0]);
    for (const [id, is] of after.pending) {
      const was = before.pending.get(id);
      if (call?.name === "claim") {
        const key = after.entries.get(id) ?? "";
        const isNew = is.owner === worker && was?.owner !== worker;
        if (isNew && after.dedup.get(key)?.entryId !== id) {
          this.#report("handedOut", `a superseded entry of ${key} was handed out`);
        }
      } else if (was?.owner !== is.owner && !(call?.name === "fail" && was?.owner === worker)) {
        this.#report("owner", `${call?.name} by ${worker} took ${id} from ${was?.owner}`);
      }
    }
  }

  /** The count of deliveries is that of the crashes, and one more while somebody holds the entry. */
  #checkDeliveries({ pending }: Snapshot): void {
    for (const [id, { owner, deliveries }] of pending) {
      const lost = this.#world.ledger.lostDeliveries.get(id) ?? 0;
      if (deliveries > lost + (owner === PARKED ? 0 : 1)) {
        this.#report("deliveries", `${id} of ${owner}: ${deliveries} counted, ${lost} lost`);
      }
    }
  }

  /** The fence: a version never falls, and what a version holds never changes for the worse. */
  #checkDestination(key: string, before: Snapshot, after: Snapshot): void {
    const was = before.destinations.get(key) ?? NOTHING;
    const is = after.destinations.get(key) ?? NOTHING;
    const outstanding = after.dedup.get(key)?.version ?? Number.POSITIVE_INFINITY;
    if (is.version > outstanding) {
      this.#report("versionOrder", `${key} is newer in the destination than in dedup`);
    }
    if (is.version < was.version) {
      this.#report("fence", `${key} fell from ${was.version} to ${is.version}`);
    }
    const { onMissing, keys } = this.#world.plan;
    if (onMissing === "skip" && is.exists && !was.exists && key !== keys[0]) {
      this.#report("created", `${key} was missing, and was to be skipped`);
    }
    const isSame = is.status === was.status && is.digest === was.digest && is.vector === was.vector;
    if (isSame) return;
    if (is.version === was.version && was.version > 0 && was.status !== "dead") {
      this.#report("fence", `${key}@${is.version} was ${was.status}, became ${is.status}`);
    }
    if (!isWhole(is)) {
      const found = JSON.stringify(is);
      this.#report("torn", `${key}: ${found}`);
    }
  }

  /** A version stands for one text, wherever it is met. */
  #checkVersions({ dedup, destinations }: Snapshot): void {
    for (const [key, outstanding] of dedup) {
      if (outstanding !== undefined) this.#remember(key, outstanding.version, outstanding.text);
    }
    for (const [key, { version, status, digest }] of destinations) {
      if (version === 0) continue;
      const known = this.#texts.get(nameOf(key, version));
      if (status === "blank") this.#remember(key, version, "");
      else if (status === "embedded") this.#remember(key, version, textOfDigest(digest) ?? "?");
      else if (known !== undefined && !mayDie(known)) {
        this.#report("versionReuse", `${nameOf(key, version)} is dead but stands for ${known}`);
      }
    }
    for (const given of this.#world.ledger.texts) {
      if (given.version === undefined || this.#compared.has(given)) continue;
      this.#compared.add(given);
      this.#remember(given.key, given.version, given.text);
    }
  }

  #remember(key: string, version: number, text: string): void {
    const name = nameOf(key, version);
    const known = this.#texts.get(name);
    if (known === undefined) this.#texts.set(name, text);
    else if (known !== text) this.#report("versionReuse", `${name} is ${known} and ${text}`);
  }

  /** What was accepted is outstanding or written, at every moment. */
  #checkAccepted({ dedup, destinations }: Snapshot): void {
    const { ledger, plan } = this.#world;
    for (const key of plan.keys) {
      const destination = destinations.get(key) ?? NOTHING;
      if (plan.onMissing === "skip" && !destination.exists) continue;
      const newest = Math.max(dedup.get(key)?.version ?? 0, destination.version);
      for (const given of ledger.kept(key)) {
        if ((given.version ?? 0) > newest) {
          this.#report("nowhere", `${key}=${given.text}@${given.version}, newest is ${newest}`);
        }
      }
    }
  }

  #report(kind: string, detail: string): void {
    this.#world.ledger.report(kind, detail);
  }
}

/** Whether vector, status and digest belong together. */
function isWhole({ status, digest, vector }: Destination): boolean {
  if (status === "embedded") {
    const text = textOfDigest(digest);
    return text !== undefined && vector === vectorName(text);
  }
  if (status === "blank") return digest === "" && vector === ZERO_VECTOR_NAME;
  if (status === "dead") {
    return digest === "" && (vector === undefined || vector === ZERO_VECTOR_NAME);
  }
  return vector === undefined;
}
