// A wrong key or an unknown model is one worker's fault: it pauses alone, and comes back by itself.

import { expect, test } from "bun:test";
import type { Embedder } from "../../src/index.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { googleError, startGemini } from "../providers/servers/gemini.ts";
import type { Loopback, Reply } from "../providers/servers/loopback.ts";
import { API_KEY, openAIError, startOpenAI } from "../providers/servers/openai.ts";
import { wireGemini, wireOpenAI } from "../providers/wire.ts";

interface Wire {
  readonly start: () => Promise<Loopback>;
  readonly embedder: (server: Loopback) => Embedder;
}

const OPENAI: Wire = { start: startOpenAI, embedder: wireOpenAI };
const GEMINI: Wire = { start: startGemini, embedder: wireGemini };

const faults: [string, Wire, Reply][] = [
  [
    "401",
    OPENAI,
    openAIError(401, `Incorrect API key provided: ${API_KEY}.`, { code: "invalid_api_key" }),
  ],
  ["a page of a firewall", OPENAI, { status: 403, body: "<!DOCTYPE html><title>Blocked</title>" }],
  ["a page with 400", OPENAI, { status: 400, body: "<html>400 Bad Request</html>" }],
  ["400 and nothing else", OPENAI, { status: 400, body: "" }],
  ["a status that nobody knows", OPENAI, openAIError(451, "Unavailable for legal reasons")],
  ["403", OPENAI, openAIError(403, "Country, region, or territory not supported")],
  [
    "404 for its model",
    OPENAI,
    openAIError(404, "The model does not exist", { code: "model_not_found" }),
  ],
  [
    "400 for its key, as Google does",
    GEMINI,
    googleError(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
  ],
];

test.each(faults)(
  "a worker that gets %s pauses alone and says so, others go on, and it works again once it is let in",
  async (_, { start, embedder }, refusal) => {
    await using scope = await testScope();
    await using closed = await start();
    await using open = await start();
    closed.always(refusal);
    const { model, dimensions, task } = embedder(open);
    const producer = await scope.queue({ model, dimensions, task });
    const refused = await scope.worker({ embedder: embedder(closed) });
    const paused = heard(refused, "worker:paused");
    const resumed = heard(refused, "worker:resumed");
    const spent = [heard(refused, "text:retried"), heard(refused, "text:dead")];
    const shared = heard(refused, "cooldown:started");
    const first = await producer.enqueueMany(items(50));

    await until(() => paused.length >= 3, { what: "it to try again by itself" });
    expect(paused.slice(0, 3).map(({ pauseMs }) => pauseMs)).toEqual([50, 100, 100]);
    // One call for each pause; one more may be under way.
    expect(closed.received.length).toBeLessThanOrEqual(paused.length + 1);
    expect(paused[0]?.error.message).not.toContain(API_KEY);

    const trusted = await scope.worker({ embedder: embedder(open) });
    for (const ticket of first) expect((await ticket.outcome()).status).toBe("embedded");
    expect(resumed).toEqual([]);
    expect((await producer.stats()).cooldownMs).toBe(0);

    await trusted.stop();
    closed.always();
    const second = await producer.enqueueMany(items(50, "more"));
    for (const ticket of second) expect((await ticket.outcome()).status).toBe("embedded");
    expect(resumed).toHaveLength(1);
    expect(spent).toEqual([[], []]);
    expect(shared).toEqual([]);
    expect(await producer.deadLetters()).toEqual([]);
  },
);

test("a worker at fault that gets the probe of a shared pause leaves it to the next one", async () => {
  await using scope = await testScope();
  await using closed = await startOpenAI();
  await using open = await startOpenAI();
  closed.always(openAIError(401, "Incorrect API key provided"));
  const embedder = wireOpenAI(open);
  const { model, dimensions } = embedder;
  const producer = await scope.queue({ model, dimensions });
  await scope.client.set(scope.keys.cooldown, `${Date.now()} 1`, { PX: 60_000 });
  const refused = await scope.worker({
    embedder: wireOpenAI(closed),
    cooldown: { baseMs: 60_000, maxMs: 60_000 },
  });
  const paused = heard(refused, "worker:paused");
  const ticket = await producer.enqueue("doc:1", "words");
  await producer.flushNow();
  await until(() => paused.length === 1, { what: "the worker to pause" });
  const trusted = await scope.worker({ embedder });
  const ended = heard(trusted, "cooldown:ended");
  expect((await ticket.outcome({ timeoutMs: 5000 })).status).toBe("embedded");
  await until(() => ended.length === 1, { what: "the pause to end" });
  expect(closed.received).toHaveLength(1);
});
