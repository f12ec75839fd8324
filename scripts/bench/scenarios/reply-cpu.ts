// What it costs a worker to get vectors out of a provider's replies over HTTP, to write and to settle them.

import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { makeItems, type Provider } from "../items.ts";
import { Countdown, RATE, type Scenario } from "../scenario.ts";

type Providers = typeof import("../../../src/providers/index.ts");

const items = { embedq: 20_000 };
const common = { items, dimensions: 1536, batchSize: 100 };

export const replyCpu: Scenario = {
  name: "reply-cpu",
  title: "A provider over HTTP, 1,536 dimensions",
  metrics: {
    cpu: {
      title: "CPU seconds of the worker for 1,000 vectors",
      unit: " s",
      better: "lower",
      digits: 3,
    },
    rate: RATE,
  },
  warmItems: 2000,
  cases: [
    { ...common, name: "base64", title: "replies in base64", word: "base64" },
    { ...common, name: "float", title: "replies in floats", word: "float" },
  ],
  async run({ count, setup, form, produce, work, help, check }) {
    const built = pathToFileURL(join(setup.root, "dist/providers.js")).href;
    const { openAICompatible } = (await import(built)) as Providers;
    const server = await help({ role: "serve" });
    const embedder = openAICompatible({
      baseUrl: String(server.hello["url"]),
      model: "bench",
      dimensions: setup.vectors.dimensions,
      encodingFormat: form.word === "float" ? "float" : "base64",
    });
    const provider = async (texts: readonly string[]) => (await embedder.embed(texts)).results;
    const all = makeItems(count);
    const producer = await produce();
    await producer.enqueueMany(all);
    await producer.close();
    const end = new Countdown(count);
    const cpuBefore = process.cpuUsage();
    const begin = performance.now();
    // Floats or their bytes, and no errors from this server.
    const worker = await work(provider as unknown as Provider, end.count);
    await end.reached;
    const { user, system } = process.cpuUsage(cpuBefore);
    await worker.close();
    await server.close();
    await check(all);
    return { cpu: (user + system) / 1000 / count, rate: (count / (end.at - begin)) * 1000 };
  },
};
