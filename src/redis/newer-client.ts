// What is different in clients of node-redis 5 and 6; no other file knows which version a client is of.

import { Buffer } from "node:buffer";

/** The bytes that replies begin with, by which the newer versions name a type. */
const BLOB_STRING = 36; // $
const MAP = 37; // %

/** An event that nobody emits. */
const UNUSED = "embedq";
const kept = new WeakSet<object>();

/**
 * Options for one command: what its reply looks like, whatever the client's owner chose for its own.
 * From the newer versions replies come as they do from version 4, under RESP 3 as well as under RESP 2.
 *
 * @param outOfTime Raised where the command is reported as failed: it is then not sent later. Version 4
 * is not told, as its queue breaks where the reply comes at that moment.
 */
export function commandOptions(client: object, isBinary: boolean, outOfTime: AbortSignal): object {
  if (!isNewer(client)) return { returnBuffers: isBinary };
  return {
    typeMapping: { [BLOB_STRING]: isBinary ? Buffer : String, [MAP]: Array },
    abortSignal: outOfTime,
    timeout: undefined,
    asap: false,
  };
}

/**
 * What a copy for pub/sub must not have in common with its client. Each version alone would share the
 * socket options, and change them; a shared cache would be emptied whenever the copy loses its socket.
 */
export function copyOverrides(client: object): object {
  const { options = {} } = client as { options?: { socket?: object } };
  const socket = { ...options.socket };
  if (!isNewer(client)) return { socket };
  return { socket, clientSideCache: undefined, emitInvalidate: false, commandOptions: {} };
}

/** Ends a client at once, whatever it has under way. */
export async function hangUp(client: object): Promise<void> {
  const { destroy, disconnect } = client as { destroy?: () => void; disconnect: () => unknown };
  if (isNewer(client) && destroy !== undefined) destroy.call(client);
  else await disconnect.call(client);
}

/**
 * Keeps a handed-in client's listeners heard. What createClient of the newer versions returns is an
 * object above the client proper: when the last kind of event loses its last listener there, the two
 * have different lists of listeners from then on, and an 'error' is thrown at nobody. One listener
 * that stays for ever, of an event that never comes, prevents it.
 */
export function keepListeners(client: object): void {
  if (!isNewer(client) || kept.has(client)) return;
  kept.add(client);
  (client as { on(event: string, listener: () => void): unknown }).on(UNUSED, () => undefined);
}

function isNewer(client: object): boolean {
  return "withTypeMapping" in client;
}
