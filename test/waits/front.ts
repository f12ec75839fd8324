// Stands before a Redis and can take connections without ever answering on them, as a load
// balancer with a dead backend does. Those stay mute for good; later ones are served again.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Front extends AsyncDisposable {
  readonly url: string;
  /** Whether new connections are taken without an answer. */
  isMute: boolean;
  /** How many were. */
  readonly muted: number;
  /** Destroys the connections that stand, but not the mute ones. */
  cut(): void;
}

export async function startFront(target: number): Promise<Front> {
  const all = new Set<Socket>();
  const served = new Set<Socket>();
  let muted = 0;
  const server = createServer((client) => {
    all.add(client);
    client.on("error", () => {});
    client.on("close", () => all.delete(client));
    if (front.isMute) {
      muted++;
      client.resume();
      return;
    }
    served.add(client);
    const redis = connect(target, "127.0.0.1");
    redis.on("error", () => {});
    client.pipe(redis).pipe(client);
    client.on("close", () => redis.destroy());
    redis.on("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const front = {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isMute: false,
    get muted() {
      return muted;
    },
    cut() {
      for (const socket of served) socket.destroy();
      served.clear();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of all) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return front;
}
