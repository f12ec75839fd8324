// Listens to everything that Redis executes, and tells what clients sent from what scripts called.

import { once } from "node:events";
import { connect } from "node:net";

const LAST_WORD = "the last command to listen to";

/** `stop` gives the counts since the start. */
export async function watchCommands(
  url: string,
): Promise<{ stop(): Promise<{ sent: number; executed: number }> }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  let [sent, executed, rest] = [0, 0, ""];
  let resolve = () => {};
  const heardLast = new Promise<void>((done) => {
    resolve = done;
  });
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\r\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [, source] = /^\+[\d.]+ \[\d+ ([^\]]+)\] /.exec(line) ?? [];
      if (source === undefined) continue;
      if (line.includes(LAST_WORD)) return resolve();
      executed += 1;
      if (source !== "lua") sent += 1;
    }
  });
  socket.write("MONITOR\r\n");
  await once(socket, "data");
  return {
    async stop() {
      const other = connect(Number(port), hostname);
      other.write(`ECHO "${LAST_WORD}"\r\n`);
      await once(other, "data");
      other.destroy();
      await heardLast;
      socket.destroy();
      return { sent, executed };
    },
  };
}
