// Does a finished text wake who waits for it, or is it only found by a look every few seconds.

import { type Finding, ok, warning } from "../model/diagnosis.ts";
import { Ear } from "../redis/hearing.ts";
import { enableNotifications, readNotifications } from "../redis/notifications.ts";
import { refusalOf } from "../redis/server.ts";
import type { Check, Checkup } from "./checkup.ts";

const NAME = "notifications";
const FALLBACK = "Until then waits look at Redis on a timer, which is slower but loses nothing";

export const NOTIFICATIONS_CHECK: Check = {
  name: NAME,
  look: async (at) => {
    try {
      const { flags, missing } = await readNotifications(at.link);
      const found = `notify-keyspace-events is "${flags}"`;
      if (missing.length === 0) return [ok(NAME, `${found}: waits hear at once`)];
      const advice = `A queue sets what is missing, ${missing.join("")}, when its first wait begins. To have it also after a restart, put \`notify-keyspace-events ${flags}${missing.join("")}\` into redis.conf, and until then: \`CONFIG SET notify-keyspace-events ${flags}${missing.join("")}\`. ${FALLBACK}.`;
      const finding = warning(NAME, `${found}: finished texts make no event`, advice, {
        isFixable: true,
      });
      return [finding];
    } catch (error) {
      if (refusalOf(error) === undefined) throw error;
      return [await listen(at)];
    }
  },
  fix: ({ link }) => enableNotifications(link),
};

/** CONFIG is forbidden or renamed: only a try tells. */
async function listen({ connection, link, options, database }: Checkup): Promise<Finding> {
  const ear = await Ear.open(connection, link, options.commandTimeoutMs);
  try {
    const hears = await ear.hearsWrites(database);
    if (hears) return ok(NAME, "CONFIG is forbidden, and events are heard: waits hear at once");
    const found =
      hears === undefined
        ? "CONFIG is forbidden, and this user may not listen to events either"
        : "CONFIG is forbidden, and no event is heard: notify-keyspace-events lacks K, h or both";
    const advice = `Put \`notify-keyspace-events Kh\` into redis.conf, or set that parameter where the provider of this Redis lets you. ${FALLBACK}; the option \`notifications: "off"\` spares the attempt.`;
    return warning(NAME, found, advice);
  } finally {
    await ear.close();
  }
}
