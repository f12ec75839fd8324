// A TCP proxy before a port, to break the network on purpose: cut, refuse, stall, delay.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** The proxy as a Redis address. */
  readonly url: string;
  /** Connections that clients hold open through it now. */
  readonly connections: number;
  /** Destroys every connection, on both sides. */
  cut(): void;
  /** Refuses new connections; those that stand stay. */
  refuse(): Promise<void>;
  /** Takes new connections again. */
  accept(): Promise<void>;
  /** Passes nothing any more, not even an end, and keeps every connection (half-open). */
  stall(): void;
  /** Reads nothing more of what clients send, so that their sockets fill. */
  jam(): void;
  /** Passes and reads again, first what was held back. */
  flow(): void;
  /** Holds every chunk back for so long, in each direction. */
  delay(ms: number): void;
  /** Cuts and closes. May be called again. */
  stop(): Promise<void>;
}

/** Starts a proxy on a free loopback port that leads to `target`. */
export async function startProxy(target: number): Promise<Proxy> {
  const pairs = new Set<readonly [client: Socket, server: Socket]>();
  let delayMs = 0;
  let open = Promise.resolve();
  let release: (() => void) | undefined;

  /** Passes on what comes from one side, in order. Each chunk waits for its delay and the gate. */
  const pass = (from: Socket, to: Socket): void => {
    let last = Promise.resolve();
    const queue = (deliver: () => void): void => {
      const due = performance.now() + delayMs;
      last = last.then(async () => {
        const early = due - performance.now();
        if (early > 0) await pause(early);
        await open;
        if (!to.destroyed) deliver();
      });
    };
    from.setNoDelay(true);
    from.on("error", () => {});
    from.on("data", (chunk) => queue(() => to.write(chunk)));
    from.on("close", () => queue(() => to.destroy()));
  };

  const listener = createServer((client) => {
    const server = connect(target, "127.0.0.1");
    const pair = [client, server] as const;
    pairs.add(pair);
    client.on("close", () => pairs.delete(pair));
    pass(client, server);
    pass(server, client);
  });
  const accept = async (): Promise<void> => {
    if (listener.listening) return;
    listener.listen(port, "127.0.0.1");
    await once(listener, "listening");
  };
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  const flow = (): void => {
    release?.();
    release = undefined;
    for (const [client] of pairs) client.resume();
  };
  const stop = async (): Promise<void> => {
    flow();
    cut();
    if (!listener.listening) return;
    listener.close();
    await once(listener, "close");
  };

  let port = 0;
  await accept();
  port = (listener.address() as AddressInfo).port;
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get connections() {
      return pairs.size;
    },
    cut,
    refuse() {
      // Listening ends at once; the close event would wait for the last connection.
      listener.close();
      return Promise.resolve();
    },
    accept,
    stall() {
      if (release === undefined) {
        open = new Promise((resolve) => {
          release = resolve;
        });
      }
    },
    jam() {
      for (const [client] of pairs) client.pause();
    },
    flow,
    delay(ms) {
      delayMs = ms;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
