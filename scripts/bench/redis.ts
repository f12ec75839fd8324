// The client that embedq itself uses, from the same folder, for `raw`, the replaced design and the checks.

import type { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { TestClient } from "../../test/helpers/scope.ts";

const EMPTY_LOOK_MS = 20;

export class Redis {
  readonly client: TestClient;

  private constructor(client: TestClient) {
    this.client = client;
  }

  /** @param root The checkout, whose node_modules hold the client. */
  static async open(root: string, url: string): Promise<Redis> {
    const { createClient } = createRequire(join(root, "package.json"))("redis");
    const client: TestClient = createClient({ url });
    client.on("error", (error: unknown) => console.error(error));
    await client.connect();
    return new Redis(client);
  }

  send(...args: (string | Buffer)[]): Promise<unknown> {
    return this.client.sendCommand(args);
  }

  async number(...args: string[]): Promise<number> {
    return Number(await this.client.sendCommand(args));
  }

  async text(...args: string[]): Promise<string> {
    return String(await this.client.sendCommand(args));
  }

  async bytes(...args: string[]): Promise<Buffer | undefined> {
    const reply: unknown = await this.client.sendCommand(args, { returnBuffers: true });
    return (reply as Buffer | null) ?? undefined;
  }

  /** One figure of INFO. */
  async info(section: string, field: string): Promise<number> {
    const text = await this.text("INFO", section);
    return Number(new RegExp(`^${field}:(.*)$`, "m").exec(text)?.[1]);
  }

  /** Removes everything, and keeps the memory of it: the next run must not pay for new pages. */
  async empty(): Promise<void> {
    await this.send("FLUSHALL", "ASYNC");
    while ((await this.info("memory", "lazyfree_pending_objects")) > 0) {
      await new Promise((resolve) => setTimeout(resolve, EMPTY_LOOK_MS));
    }
  }

  async close(): Promise<void> {
    await this.client.disconnect();
  }
}

/** Calls `send` for slices of a list, each slice in one go, and awaits it before the next. */
export async function inChunks<T>(
  list: readonly T[],
  size: number,
  send: (chunk: readonly T[]) => Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < list.length; at += size) await send(list.slice(at, at + size));
}
