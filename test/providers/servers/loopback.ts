// A provider on loopback: takes requests apart, plays faults, and collects what was wrong with requests.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: number;
  /** Parsed JSON; undefined where it is none. */
  readonly body: unknown;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What a call meets: a reply, a server that never answers, one that cuts the reply, or a changed reply. */
export type Fault = Reply | "hang" | "cut" | ((right: Reply) => Reply);

export class Loopback {
  readonly url: string;
  readonly received: Received[] = [];
  /** What strict checks found; a test that causes none on purpose ends with an empty list. */
  readonly violations: string[] = [];
  readonly #server: ReturnType<typeof createServer>;
  readonly #script: Fault[] = [];
  #usual: Fault | undefined;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(
    answer: (request: Received, violations: string[]) => Reply,
  ): Promise<Loopback> {
    const server = createServer((request, response) => {
      void loopback.#serve(request, response, answer);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const loopback = new Loopback(server);
    return loopback;
  }

  get host(): string {
    return new URL(this.url).host;
  }

  /** The next calls meet these, one each. */
  next(...faults: readonly Fault[]): this {
    this.#script.push(...faults);
    return this;
  }

  /** Calls for which nothing else is planned meet this; without an argument, none. */
  always(fault?: Fault): this {
    this.#usual = fault;
    return this;
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    answer: (request: Received, violations: string[]) => Reply,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const received: Received = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      bytes: bytes.length,
      body: parse(bytes.toString()),
    };
    this.received.push(received);
    const fault = this.#script.shift() ?? this.#usual;
    if (fault === "hang") return;
    if (fault === "cut") {
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      response.write('{"data": [', () => response.destroy());
      return;
    }
    const right = () => answer(received, this.violations);
    const reply =
      fault === undefined ? right() : typeof fault === "function" ? fault(right()) : fault;
    const text = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body);
    response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
    response.end(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Names in an object that are not among these. */
export function unknownNames(object: object, known: readonly string[]): string[] {
  return Object.keys(object).filter((name) => !known.includes(name));
}
