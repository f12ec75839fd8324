// The types of every version's clients fit the option `redis` without a cast, as users compile them.

import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installPackage } from "../runtimes/package.ts";

const FITS = `
import { EmbeddingQueue, EmbeddingWorker, type Embedder, type RedisOption } from "embedq";
import { createClient as create4, type RedisClientType as Client4 } from "redis";
import { createClient as create5, type RedisClientType as Client5, RESP_TYPES } from "redis-5";
import { createClient as create6, type RedisClientType as Client6 } from "redis-6";

export const queues = [
  new EmbeddingQueue({ redis: create4() }),
  new EmbeddingQueue({ redis: create4({ url: "redis://host", socket: { tls: true }, database: 2 }) }),
  new EmbeddingQueue({ redis: create5() }),
  new EmbeddingQueue({ redis: create5({ RESP: 3 }) }),
  new EmbeddingQueue({ redis: create5().withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }) }),
  new EmbeddingQueue({ redis: create6() }),
  new EmbeddingQueue({ redis: create6({ RESP: 2, keyPrefix: "mine:" }) }),
];

export function workers(four: Client4, five: Client5, six: Client6, embedder: Embedder) {
  return [four, five, six].map((redis) => new EmbeddingWorker({ redis, embedder }));
}

export async function connected(): Promise<RedisOption[]> {
  return [await create5().connect(), await create6().connect()];
}
`;

/** Each line alone must not compile. */
const DO_NOT_FIT = `
import { EmbeddingQueue } from "embedq";
import { createCluster as cluster4 } from "redis";
import { createClientPool as pool5, createCluster as cluster5, createSentinel as sentinel5 } from "redis-5";
import { createClientPool as pool6, createCluster as cluster6, createSentinel as sentinel6 } from "redis-6";

new EmbeddingQueue({ redis: cluster4({ rootNodes: [] }) });
new EmbeddingQueue({ redis: cluster5({ rootNodes: [] }) });
new EmbeddingQueue({ redis: cluster6({ rootNodes: [] }) });
new EmbeddingQueue({ redis: pool5() });
new EmbeddingQueue({ redis: pool6() });
new EmbeddingQueue({ redis: sentinel5({ name: "main", sentinelRootNodes: [] }) });
new EmbeddingQueue({ redis: sentinel6({ name: "main", sentinelRootNodes: [] }) });
`;

test("clients of node-redis 4, 5 and 6 fit; clusters, pools and Sentinel do not", async () => {
  await using installed = await installPackage();
  await writeFile(join(installed.dir, "fits.ts"), FITS);
  await writeFile(join(installed.dir, "does-not-fit.ts"), DO_NOT_FIT);
  const compilerOptions = {
    target: "ES2022",
    lib: ["ES2022", "DOM"],
    module: "ESNext",
    moduleResolution: "Bundler",
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
    types: [],
  };
  const files = ["fits.ts", "does-not-fit.ts"];
  await writeFile(join(installed.dir, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const tsc = join(import.meta.dir, "../../node_modules/typescript/bin/tsc");
  const child = Bun.spawn(["node", tsc, "-p", installed.dir, "--pretty", "false"], {
    cwd: installed.dir,
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = await new Response(child.stdout).text();
  await child.exited;
  const faults = output.split("\n").filter((line) => /^\S.*error TS/.test(line));
  const wrong = DO_NOT_FIT.split("\n").flatMap((line, at) =>
    line.startsWith("new ") ? [at + 1] : [],
  );
  expect(faults.map((line) => line.replace(/,\d+\): .*$/, ""))).toEqual(
    wrong.map((line) => `does-not-fit.ts(${line}`),
  );
}, 180_000);
