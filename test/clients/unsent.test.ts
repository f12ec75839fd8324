// A command that was reported as failed before it could be sent is not sent later, when it could do harm.

import { describe, expect, test } from "bun:test";
import { failure, testScope } from "../helpers/scope.ts";
import { handIn, NEWER_KINDS } from "./kinds.ts";

/** More than the sockets on the way hold. */
const LARGE = "x".repeat(16 * 1024 * 1024);

describe.each(NEWER_KINDS)("$kind", (kind) => {
  test("a cancel that failed takes no newer text away", async () => {
    await using scope = await testScope();
    const proxy = await scope.proxy();
    await using mine = await handIn(kind, scope, { url: proxy.url });
    const far = await mine.queue({ commandTimeoutMs: 300 });
    const near = await scope.queue();
    await near.enqueue("doc:1", "an old text");
    // So that Redis knows the script: by its digest alone, nothing unknown would be run.
    expect(await far.cancel("doc:2")).toBe("absent");
    proxy.jam();
    const owners = mine.client.sendCommand(["SET", "large", LARGE]);
    expect(await failure(far.cancel("doc:1"))).toMatchObject({ code: "ERR_REDIS_UNAVAILABLE" });
    await near.enqueue("doc:1", "a new text");
    proxy.flow();
    expect(await owners).toBe("OK");
    // Sent after all that was waiting.
    await mine.client.sendCommand(["PING"]);
    expect(Object.keys(await scope.dedup())).toEqual(["doc:1"]);
    await near.cancel("doc:1");
  });
});
