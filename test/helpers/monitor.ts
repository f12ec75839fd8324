// Counts the commands that clients send to a Redis, to prove how few trips something takes.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { createClient } from "redis";
import { until } from "./until.ts";

export interface SeenCommand {
  /** In capitals. */
  readonly command: string;
  /** The first arguments, as MONITOR quotes them, each cut to 100 characters. */
  readonly args: readonly string[];
  /** Address of the client that sent it. */
  readonly client: string;
}

export interface CommandWatch extends AsyncDisposable {
  /** What clients sent since the start or the last `clear`; calls from inside Lua are left out. */
  readonly commands: readonly SeenCommand[];
  /** Resolves when everything sent before this call is in `commands`. */
  settled(): Promise<void>;
  /** Forgets what was seen so far. */
  clear(): void;
}

const MAX_ARGS = 8;

/** Watches every command sent to the Redis at `url`, but its own. */
export async function watchCommands(url: string): Promise<CommandWatch> {
  // Connects first, so that its greeting is over before we watch.
  const marker = createClient({ url });
  marker.on("error", () => {});
  await marker.connect();

  const { hostname, port } = new URL(url);
  // A plain socket, because node-redis 4 has no MONITOR.
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  const lines = createInterface({ input: socket });
  socket.write("MONITOR\r\n");
  await once(lines, "line");

  const commands: SeenCommand[] = [];
  const awaited = new Set<string>();
  lines.on("line", (line: string) => {
    const seen = parse(line);
    if (seen === undefined) return;
    if (seen.command !== "ECHO" || !awaited.delete(seen.args[0] ?? "")) commands.push(seen);
  });
  return {
    commands,
    async settled() {
      const mark = randomUUID();
      awaited.add(mark);
      await marker.echo(mark);
      await until(() => !awaited.has(mark), { what: "MONITOR to show our marker" });
    },
    clear() {
      commands.length = 0;
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
      await marker.disconnect();
    },
  };
}

/** Reads a line such as `+1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`. */
function parse(line: string): SeenCommand | undefined {
  const [, client, rest] = /^\+[\d.]+ \[\d+ (\S+)\] (.*)$/.exec(line) ?? [];
  if (client === undefined || rest === undefined || client === "lua") return undefined;
  // Quotes inside an argument are escaped, so a quoted part ends at the first bare quote.
  const words = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)].slice(0, MAX_ARGS + 1);
  const [command = "", ...args] = words.map(([, word = ""]) => word);
  return { command: command.toUpperCase(), args: args.map((arg) => arg.slice(0, 100)), client };
}
