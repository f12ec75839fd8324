// What happened in a schedule, step by step. Kept as it came and put into words only when asked for.

import type { Reply } from "../../src/redis/replies.ts";
import type { Call } from "./actor.ts";

interface Line {
  readonly who: string;
  readonly call: Pick<Call, "name" | "args"> | undefined;
  readonly reply: Reply;
  readonly remark: string;
}

export class Log {
  readonly #lines: Line[] = [];

  call(who: string, call: Call, reply: Reply, remark: string): void {
    this.#lines.push({ who, call: { name: call.name, args: call.args }, reply, remark });
  }

  note(remark: string): void {
    this.#lines.push({ who: "", call: undefined, reply: null, remark });
  }

  toString(): string {
    return this.#lines.map((line, i) => `${i}`.padStart(4).concat(" ", inWords(line))).join("\n");
  }
}

function inWords({ who, call, reply, remark }: Line): string {
  if (call === undefined) return `*** ${remark}`;
  const args = call.args.map((arg) => wordOf(arg)).join(" ");
  return `${who} ${call.name} ${args} → ${wordOf(reply)} ${remark}`.trimEnd();
}

function wordOf(value: Reply): string {
  if (value instanceof Uint8Array) return JSON.stringify(new TextDecoder().decode(value));
  if (Array.isArray(value)) return `[${value.map((part) => wordOf(part as Reply)).join(" ")}]`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
