// Is Redis there, how far away, and who listens in between.

import { type Finding, note, ok, problem, warning } from "../model/diagnosis.ts";
import { messageOf } from "../model/errors.ts";
import { scrub } from "../model/scrub.ts";
import type { Link } from "../redis/link.ts";
import { readClock, refusalOf } from "../redis/server.ts";
import type { RedisOption } from "../session.ts";
import { type Check, sayOf } from "./checkup.ts";

const NAME = "connection";
/** Nothing of embedq needs the clocks to agree; what people read in logs does, and dates that a provider names. */
const CLOCK_TOLERANCE_MS = 2000;

/** Where Redis is, without credentials. */
interface Place {
  readonly host: string;
  readonly hasTls: boolean;
  readonly isLocal: boolean;
}

/** Asks for a sign of life, and tells how long it took. */
export async function lookAtConnection(link: Link, redis: RedisOption): Promise<Finding> {
  const { host, hasTls, isLocal } = placeOf(redis);
  let ms = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const askedAt = performance.now();
    try {
      await link.send(["PING"], { repeats: false });
    } catch (error) {
      if (!isAnswer(error)) return unreachable(redis, error);
    }
    ms = Math.min(ms, performance.now() - askedAt);
  }
  const tls = hasTls ? "over TLS" : "without TLS";
  const found = `Redis at ${host} answers in ${ms.toFixed(1)} ms, ${tls}`;
  if (hasTls || isLocal) return ok(NAME, found);
  const advice =
    "Texts and the password travel in the clear: outside a network of your own, use a URL with rediss://.";
  return note(NAME, found, advice);
}

/** It is there: that is all that is asked here. A server that cannot save refuses even a PING. */
function isAnswer(error: unknown): boolean {
  return refusalOf(error) !== undefined || /^(MISCONF|MASTERDOWN|BUSY)/.test(sayOf(error));
}

/** Why there is no connection. */
export function unreachable(redis: RedisOption, error: unknown): Finding {
  const { host, hasTls } = placeOf(redis);
  const said = `${messageOf(error)} ${sayOf(error)}`;
  const found = `Redis at ${host} cannot be used: ${sayOf(error) || scrub(messageOf(error))}`;
  return problem(NAME, found, adviceFor(said, hasTls));
}

function adviceFor(said: string, hasTls: boolean): string {
  if (/WRONGPASS|NOAUTH|AUTH /.test(said)) {
    return "Give the user and password that Redis knows: redis://USER:PASSWORD@HOST:PORT, without USER for the default user.";
  }
  if (/LOADING/.test(said))
    return "Redis reads its data after a start: run this again when it is done.";
  if (/ENOTFOUND|EAI_AGAIN/.test(said)) return "Check the host name in the URL.";
  if (/certificate|self.signed|SSL|TLS/i.test(said)) {
    return "Check the certificate; give its authority in `socket.ca` of the options, or in NODE_EXTRA_CA_CERTS.";
  }
  if (/maxclients/.test(said)) return "Raise maxclients in redis.conf, or close other connections.";
  return `Check host and port, that Redis runs there, and that no firewall is between; also whether it wants TLS, which this URL does ${hasTls ? "" : "not "}use.`;
}

export const CLOCK_CHECK: Check = {
  name: "clock",
  look: async ({ link }) => {
    const { aheadMs, uncertainMs } = await readClock(link);
    const apart = Math.abs(aheadMs);
    const side = aheadMs < 0 ? "behind" : "ahead of";
    const exact = `${Math.round(apart)} ms ${side} that of this process, give or take ${Math.ceil(uncertainMs)} ms`;
    const found = `The clock of Redis is ${exact}`;
    if (apart - uncertainMs <= CLOCK_TOLERANCE_MS) return [ok("clock", found)];
    const advice =
      "embedq decides by the clock of Redis alone, but pauses that a provider names as a date, and times in logs, go by that of this process. Keep both by NTP.";
    return [warning("clock", found, advice)];
  },
};

function placeOf(redis: RedisOption): Place {
  const options = optionsOf(redis);
  const { url, socket = {} } = options;
  const { host = "", hostname = "", protocol = "" } = urlOf(url);
  const { path } = socket;
  const own = socket.host === undefined ? "" : `${socket.host}:${socket.port ?? 6379}`;
  const shown = path ?? (host || own || "127.0.0.1:6379");
  const name = hostname || socket.host || "127.0.0.1";
  return {
    host: shown,
    hasTls: protocol === "rediss:" || socket.tls === true,
    isLocal: path !== undefined || /^(localhost|127\.|\[?::1)/.test(name),
  };
}

/** The user that is asked for, as far as this process knows. */
export function userIn(redis: RedisOption): string {
  const { url, username } = optionsOf(redis);
  return username || decodeURIComponent(urlOf(url).username ?? "") || "default";
}

interface SocketOptions {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly tls?: boolean;
}

interface ClientOptions {
  readonly url?: string;
  readonly username?: string;
  readonly socket?: SocketOptions;
}

function optionsOf(redis: RedisOption): ClientOptions {
  if (typeof redis === "string") return { url: redis };
  return ("sendCommand" in redis ? (redis.options ?? {}) : redis) as ClientOptions;
}

function urlOf(url: string | undefined): Partial<URL> {
  try {
    return url === undefined ? {} : new URL(url);
  } catch {
    // The connection refuses it; here there is only nothing to show.
    return {};
  }
}
