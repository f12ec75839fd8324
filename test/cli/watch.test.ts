// `embedq stats --watch`: in a terminal it takes the screen and gives it back; elsewhere it prints lines.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { cli, startCli } from "./run.ts";

const MAIN = join(import.meta.dir, "../../src/cli/main.ts");

function reading(stream: ReadableStream<Uint8Array>): { readonly text: string } {
  const heard = { text: "" };
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) heard.text += decoder.decode(chunk, { stream: true });
  })();
  return heard;
}

function linesOf({ text }: { readonly text: string }): Record<string, unknown>[] {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1).trim();
  return whole === "" ? [] : whole.split("\n").map((line) => JSON.parse(line));
}

test("without a terminal each look is a line; Redis may go and come back", async () => {
  await using scope = await testScope();
  const proxy = await scope.proxy();
  await (await scope.queue()).enqueueMany(items(3));
  const args = ["stats", "--watch", "--json", "--interval", "100ms"];
  const child = startCli([...args, "--redis", proxy.url, "--name", scope.name]);
  const stdout = reading(child.stdout);
  await until(() => linesOf(stdout).length >= 2, { what: "two lines", timeoutMs: 20_000 });
  expect(linesOf(stdout)[1]).toMatchObject({ waiting: 3, pending: 3, rates: { texts: 0 } });
  await proxy.refuse();
  proxy.cut();
  const isAway = () => linesOf(stdout).some((line) => "error" in line);
  await until(isAway, { what: "a line that says so", timeoutMs: 20_000 });
  const away = linesOf(stdout).find((line) => "error" in line);
  expect(away?.["error"]).toMatchObject({ code: "ERR_REDIS_UNAVAILABLE" });
  await proxy.accept();
  const isBack = () => linesOf(stdout).at(-1)?.["waiting"] === 3;
  await until(isBack, { what: "lines as before", timeoutMs: 20_000 });
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
});

test("the line for people holds the facts", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  await queue.enqueueMany(items(3));
  await queue.pause();
  const args = ["stats", "--watch", "--interval", "1h", "--redis", scope.url, "--name", scope.name];
  const child = startCli(args);
  const stdout = reading(child.stdout);
  await until(() => stdout.text.includes("\n"), { what: "a line", timeoutMs: 20_000 });
  child.kill("SIGTERM");
  expect(await child.exited).toBe(143);
  expect(stdout.text).toMatch(
    /^\d{4}-\d\d-\d\dT[\d:]+Z waiting 3, in flight 0, parked 0, dead 0, workers 0, oldest .*, paused\n$/,
  );
});

test("--interval alone, or too short, is refused", async () => {
  const alone = await cli(["stats", "--interval", "1s"]);
  expect(alone.stderr).toContain("say --watch too");
  const short = await cli(["stats", "--watch", "--interval", "1ms"]);
  expect(short.stderr).toContain("--interval must be at least 100ms");
  expect([alone.code, short.code]).toEqual([2, 2]);
});

/** A process in a terminal of its own, by `script` of util-linux. */
function inTerminal(args: readonly string[], env: Record<string, string> = {}) {
  const call = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(" ");
  const child = Bun.spawn(["script", "-qec", `stty rows 24 columns 80; ${call}`, "/dev/null"], {
    env: { ...process.env, TERM: "xterm-256color", NO_COLOR: "", FORCE_COLOR: "", ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const press = (keys: string) => {
    void child.stdin.write(keys);
    void child.stdin.flush();
  };
  return { child, press, stdout: reading(child.stdout) };
}

const ENTERED = "\x1b[?1049h";
const LEFT = "\x1b[?7h\x1b[?25h\x1b[?1049l";

test.each(["q", "\x1b", "\x03"])(
  "in a terminal %p ends it, and the screen is as before",
  async (key) => {
    await using scope = await testScope();
    await (await scope.queue()).enqueueMany(items(3));
    const args = ["stats", "--watch", "--redis", scope.url, "--name", scope.name];
    const { child, press, stdout } = inTerminal(args);
    await until(() => stdout.text.includes("q quits"), { what: "a picture", timeoutMs: 20_000 });
    // An arrow key begins as Esc does, and ends nothing.
    press("\x1b[A");
    const frames = () => stdout.text.split("\x1b[?2026h").length;
    const before = frames();
    await until(() => frames() > before, { what: "another picture", timeoutMs: 20_000 });
    press(key);
    expect(await child.exited).toBe(0);
    const { text } = stdout;
    expect(text).toContain(ENTERED);
    expect(text.slice(text.lastIndexOf("\x1b[?2026l"))).toContain(LEFT);
    expect(text).toContain("no worker: nothing is embedded");
  },
);

test("a signal and a failure give the screen back too", async () => {
  await using scope = await testScope();
  await scope.queue();
  const args = [
    "stats",
    "--watch",
    "--interval",
    "100ms",
    "--redis",
    scope.url,
    "--name",
    scope.name,
  ];
  const { child, stdout } = inTerminal(args, { NO_COLOR: "1" });
  await until(() => stdout.text.includes("q quits"), { what: "a picture", timeoutMs: 20_000 });
  expect(stdout.text).not.toContain("\x1b[3");
  // What should be a stream is none: the look fails, and not as Redis is away.
  scope.damagesData();
  await scope.client.set(scope.keys.pending, "no stream");
  expect(await child.exited).toBe(1);
  await until(() => stdout.text.includes("embedq: "), { what: "the reason" });
  expect(stdout.text.indexOf(LEFT)).toBeLessThan(stdout.text.indexOf("embedq: "));
});
