// What a stage is given to reach one queue: its names, and the two kinds of scripts.

import type { CommandOptions, Connection } from "./connection.ts";
import type { QueueKeys } from "./keys.ts";
import type { Reply } from "./replies.ts";
import type { Script } from "./scripts/script.ts";

export interface Link {
  readonly keys: QueueKeys;
  /** Runs a script on the queue's own keys. */
  run(
    script: Script,
    args: readonly (string | Uint8Array)[],
    options?: CommandOptions,
  ): Promise<Reply>;
  /** Runs a script on destination keys. */
  runOn(
    script: Script,
    keys: readonly string[],
    args: readonly (string | Uint8Array)[],
    options?: CommandOptions,
  ): Promise<Reply>;
  /** Sends one plain command. */
  send(args: readonly (string | Uint8Array)[], options?: CommandOptions): Promise<Reply>;
}

export function createLink(connection: Connection, keys: QueueKeys): Link {
  return {
    keys,
    run: (script, args, options) => connection.run(script, keys.all, args, options),
    runOn: (script, destinations, args, options) =>
      connection.run(script, destinations, args, options),
    send: (args, options) => connection.send(args, options),
  };
}
