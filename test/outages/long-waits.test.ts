// Waits that no client library would make: the pause of all workers is as long as the provider asks for.

import { expect, test } from "bun:test";
import type { Embedder } from "../../src/index.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { quotaError, startGemini } from "../providers/servers/gemini.ts";
import type { Loopback, Reply } from "../providers/servers/loopback.ts";
import { openAIError, startOpenAI } from "../providers/servers/openai.ts";
import { wireGemini, wireServer } from "../providers/wire.ts";

const slower = (headers: Record<string, string>) => openAIError(429, "slower", {}, headers);
const DAY_MS = 86_400_000;

const waits: [string, "openai" | "gemini", Reply, number][] = [
  ["Retry-After in seconds", "openai", slower({ "retry-after": "3600" }), 3_600_000],
  [
    "Retry-After as a date",
    "openai",
    slower({
      date: "Wed, 21 Oct 2026 07:00:00 GMT",
      "retry-after": "Wed, 21 Oct 2026 07:20:00 GMT",
    }),
    1_200_000,
  ],
  ["retry-after-ms", "openai", slower({ "retry-after-ms": "61000" }), 61_000],
  [
    "the reset of the tokens of a minute",
    "openai",
    slower({ "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s" }),
    360_000,
  ],
  [
    "Retry-After of an outage",
    "openai",
    openAIError(503, "maintenance", {}, { "retry-after": "900" }),
    900_000,
  ],
  [
    "a router's words, with status 200",
    "openai",
    {
      status: 200,
      body: {
        error: {
          code: 429,
          message: "Provider returned error",
          metadata: { raw: "Rate limited. Please retry after 90 seconds." },
        },
      },
    },
    90_000,
  ],
  [
    "Gemini's RetryInfo",
    "gemini",
    quotaError("EmbedContentRequestsPerMinutePerProjectPerModel", "75.5s"),
    75_500,
  ],
  [
    "Gemini's RetryInfo for the day",
    "gemini",
    quotaError("EmbedContentRequestsPerDayPerProjectPerModel", "36000s"),
    36_000_000,
  ],
  ["more than a day, which is a mistake", "openai", slower({ "retry-after": "9999999" }), DAY_MS],
];

const WIRES: Record<"openai" | "gemini", [() => Promise<Loopback>, (at: Loopback) => Embedder]> = {
  openai: [startOpenAI, wireServer],
  gemini: [startGemini, wireGemini],
};

test.each(waits)("%s is kept to by all workers", async (_, wire, refusal, askedMs) => {
  const [start, make] = WIRES[wire];
  await using scope = await testScope();
  await using server = await start();
  server.next(refusal);
  const embedder = make(server);
  const worker = await scope.worker({ embedder });
  const started = heard(worker, "cooldown:started");
  const { model, dimensions, task } = embedder;
  const producer = await scope.queue({ model, dimensions, task });
  const nowMs = async () => (await scope.client.time()).getTime();
  const beforeMs = await nowMs();
  const tickets = await producer.enqueueMany(items(50));
  await until(() => started.length === 1, { what: "the pause" });
  expect(started[0]?.pauseMs).toBe(askedMs);
  // By Redis' own clock, and by the word of the stats.
  const [untilMs = 0, level = ""] = ((await scope.client.get(scope.keys.cooldown)) ?? "").split(
    " ",
  );
  expect(Number(untilMs)).toBeGreaterThanOrEqual(beforeMs + askedMs);
  expect(Number(untilMs)).toBeLessThanOrEqual((await nowMs()) + askedMs + 1);
  const { cooldownMs } = await producer.stats();
  expect(cooldownMs).toBeGreaterThan(askedMs - ((await nowMs()) - beforeMs) - 2);
  expect(cooldownMs).toBeLessThanOrEqual(askedMs + 1);

  // A worker that comes later, and new work that is due, change nothing.
  await scope.worker({ embedder });
  tickets.push(...(await producer.enqueueMany(items(50, "more"))));
  await producer.flushNow();
  await producer.stats();
  expect(server.received).toHaveLength(1);
  expect(await scope.client.hLen(scope.keys.retries)).toBe(0);

  // The pause over, as time would have it.
  await scope.client.set(scope.keys.cooldown, `${await nowMs()} ${level}`, { PX: 60_000 });
  await producer.flushNow();
  for (const ticket of tickets) expect((await ticket.outcome()).status).toBe("embedded");
  expect(await producer.deadLetters()).toEqual([]);
});
