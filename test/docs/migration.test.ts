// The page on the Python module: its steps, in its order, with the commands that stand there.

import { expect, test } from "bun:test";
import { cli, startCli } from "../cli/run.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import {
  DONE_PREFIX,
  EMPTY,
  float32Bytes,
  listenForDone,
  memberOf,
  PythonModule,
} from "../takeover/module.ts";
import { examplesOf } from "./examples.ts";

const shown = (await examplesOf("docs/guides/migration.md"))
  .filter(({ language }) => language === "sh")
  .flatMap(({ code }) => code.trim().split("\n"));

/** The words of a command of the page, without `embedq`. */
function words(command: string): string[] {
  const line = shown.find((one) => one.startsWith(command));
  if (line === undefined) throw new Error(`the page does not show ${command}`);
  return line.split(" ").slice(1);
}

test("the change-over as it is written, with waiters of the module", async () => {
  await using scope = await testScope();
  await using done = await listenForDone(scope.client);
  const env = { REDIS_URL: scope.url, EMBEDQ_NAME: scope.name };
  const module = new PythonModule(scope.client);
  for (let i = 0; i < 60; i++) await module.enqueue(`msg:${i}`, `text ${i}`);
  await module.claim(10); // By a worker that dies.

  // 1.
  expect(words("embedq work")).toContain("--done-channel-prefix");
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder, doneChannelPrefix: DONE_PREFIX });
  // 2.
  const watching = startCli(words("embedq import --watch"), { env });
  const summary = new Response(watching.stdout).text();
  const isEmpty = async () => (await module.state()).pending.length === 0;
  await until(isEmpty, { what: "what waits to be taken", timeoutMs: 20_000 });
  // 3.
  const queue = await scope.queue({ skipUnchanged: false });
  await queue.enqueue("msg:3", "a newer text");
  await module.enqueue("msg:60", "the module's last");
  // 4.
  const last = await cli(words("embedq import --in-flight-after"), { env });
  expect(last).toMatchObject({ code: 0, stderr: "" });
  expect(await module.state()).toEqual(EMPTY);
  watching.kill("SIGINT");
  expect(await watching.exited).toBeOneOf([0, 4]);
  expect(await summary).toContain("texts enqueued");
  // Verify.
  expect((await cli(words("embedq flush"), { env })).stdout).toBe("done\n");
  expect((await cli(words("embedq dead ls"), { env })).stdout).toBe("no dead letters\n");
  for (let i = 0; i <= 60; i++) {
    const text = i === 3 ? "a newer text" : i === 60 ? "the module's last" : `text ${i}`;
    const { bytes } = await scope.destination(`msg:${i}`);
    expect(bytes).toEqual(float32Bytes(embedder.vectorOf(text)));
  }
  await until(() => new Set(done.keys).size === 61, { what: "a message for each key" });

  // Going back: the module goes on with the same field.
  await module.enqueue("msg:1", "back again");
  await module.finish(await module.claim(5), (text) => embedder.vectorOf(text));
  expect(await scope.vector("msg:1")).toEqual([...embedder.vectorOf("back again")]);
});

test("the members of the page's first table are those that are read", () => {
  expect(memberOf("msg:1", "Grüße")).toBe('{"redis_key":"msg:1","text":"Gr\\u00fc\\u00dfe"}');
});
