// The program that measures: one queue, one scenario, one run, in a process of its own. Bundled by
// build.ts to plain JavaScript, as Node 20 reads no TypeScript.

import process from "node:process";
import type { Setup } from "./contender.ts";
import { CONTENDERS, type ContenderName } from "./contenders/index.ts";
import { type HelperOrder, say, startHelper, untilToldToStop } from "./helper.ts";
import { checkStored, type Item, MockProvider, makeItems, Vectors } from "./items.ts";
import { Redis } from "./redis.ts";
import type { Bench, Case } from "./scenario.ts";
import { scenarioNamed } from "./scenarios/index.ts";
import { serveEmbeddings } from "./server.ts";

/** What the child is told in its first argument. */
export interface Order {
  readonly role: "measure" | HelperOrder["role"];
  readonly root: string;
  readonly url: string;
  readonly scenario: string;
  readonly form: string;
  readonly contender: ContenderName;
  readonly count: number;
  readonly warmCount: number;
}

const order = JSON.parse(process.argv[2] ?? "{}") as Order;
const scenario = scenarioNamed(order.scenario);
const form = scenario.cases.find(({ name }) => name === order.form) as Case;
const contender = CONTENDERS[order.contender];
const setup: Setup = {
  root: order.root,
  url: order.url,
  vectors: new Vectors(form.dimensions ?? 768),
  batchSize: form.batchSize ?? 50,
  concurrency: form.concurrency ?? 4,
  callsAreFree: form.provider === undefined,
};

const ROLES: Readonly<Record<Order["role"], () => Promise<void>>> = {
  measure,
  work,
  produce,
  serve,
};
await ROLES[order.role]();
// A client that was not closed must not keep a measurement alive.
process.exit();

async function measure(): Promise<void> {
  const redis = await Redis.open(order.root, order.url);
  if (order.warmCount > 0) {
    await scenario.run(benchOf(redis, Math.min(order.warmCount, order.count)));
    await redis.empty();
  }
  const figures = await scenario.run(benchOf(redis, order.count));
  await redis.close();
  await new Promise<void>((resolve) => {
    process.stdout.write(`${JSON.stringify({ figures })}\n`, () => resolve());
  });
}

function benchOf(redis: Redis, count: number): Bench {
  const checkOutstanding = async (wanted: number) => {
    const producer = await contender.produce(setup);
    const found = await producer.outstanding();
    await producer.close();
    if (found !== wanted) throw new Error(`${found} texts wait, not ${wanted}`);
  };
  return {
    setup,
    contender,
    contenderName: order.contender,
    form,
    count,
    redis,
    produce: () => contender.produce(setup),
    work: (provider, onSettled) => contender.work(setup, provider, onSettled),
    help: (helperOrder) => startHelper({ ...order, ...helperOrder }),
    async check(items: readonly Item[]) {
      if (contender.stores) await checkStored(redis, setup.vectors, items);
      await checkOutstanding(0);
    },
    checkOutstanding,
  };
}

async function work(): Promise<void> {
  const provider = new MockProvider(setup.vectors, form.provider ?? { callMs: 0, itemMs: 0 });
  const worker = await contender.work(setup, provider.embed, (settled) => say({ settled }));
  say({ ready: true });
  await untilToldToStop();
  await worker.close();
}

async function produce(): Promise<void> {
  const producer = await contender.produce(setup);
  const CHUNK = 10_000;
  for (let first = 0; first < order.count; first += CHUNK) {
    await producer.enqueueMany(makeItems(Math.min(CHUNK, order.count - first), first));
  }
  await producer.close();
  say({ ready: true });
  await untilToldToStop();
}

async function serve(): Promise<void> {
  const server = await serveEmbeddings(setup.vectors);
  say({ url: server.url });
  await untilToldToStop();
  await server.close();
}
