// What a failed command means.

import { describe, expect, test } from "bun:test";
import {
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  ErrorReply,
  SocketClosedUnexpectedlyError,
} from "redis";
import * as five from "redis-5";
import * as six from "redis-6";
import { EmbedqError } from "../../src/model/errors.ts";
import { NoAnswerError } from "../../src/redis/client.ts";
import { classify, redisError } from "../../src/redis/failures.ts";

describe("error replies", () => {
  const passing = [
    "LOADING Redis is loading the dataset in memory",
    "BUSY Redis is busy running a script.",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "MASTERDOWN Link with MASTER is down",
    "NOREPLICAS Not enough good replicas to write.",
    "CLUSTERDOWN The cluster is down",
    "READONLY You can't write against a read only replica.",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist",
  ];
  test.each(passing)("classify takes it for passing: %s", (message) => {
    expect(classify(new ErrorReply(message))).toBe("passing");
  });

  test("classify looks behind what Redis 6.2 puts before an error in a script", () => {
    const inScript = (words: string) =>
      classify(
        new ErrorReply(
          `ERR Error running script (call to f_0f5c): @user_script:3: @user_script: 3: ${words}`,
        ),
      );
    expect(inScript("-READONLY You can't write against a read only replica.")).toBe("passing");
    expect(inScript("-MISCONF Redis is configured to save RDB snapshots")).toBe("passing");
    expect(inScript("-OOM command not allowed when used memory > 'maxmemory'.")).toBe("final");
    expect(inScript("WRONGTYPE Operation against a key: -LOADING ")).toBe("final");
  });

  const final = [
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "NOPERM this user has no permissions to run the 'xadd' command",
    "NOAUTH Authentication required.",
    "ERR unknown command 'XAUTOCLAIM'",
    "BUSYGROUP Consumer Group name already exists",
    "NOGROUP No such key or consumer group",
    "CROSSSLOT Keys in request don't hash to the same slot",
    // The word must be the first one: texts of users may hold any.
    "ERR value is not valid: LOADING",
    "",
  ];
  test.each(final)("classify takes it for final: %p", (message) => {
    expect(classify(new ErrorReply(message))).toBe("final");
  });

  test("classify sees that the script is missing", () => {
    expect(classify(new ErrorReply("NOSCRIPT No matching script. Please use EVAL."))).toBe(
      "noScript",
    );
  });
});

describe("errors of the client and of the network", () => {
  const passing: [string, unknown][] = [
    ["SocketClosedUnexpectedlyError", new SocketClosedUnexpectedlyError()],
    ["ClientClosedError", new ClientClosedError()],
    ["ClientOfflineError", new ClientOfflineError()],
    ["ConnectionTimeoutError", new ConnectionTimeoutError()],
    ["DisconnectsClientError", new DisconnectsClientError()],
    ["NoAnswerError", new NoAnswerError("Redis gave no answer in time")],
    ["ECONNREFUSED", new Error("connect ECONNREFUSED 127.0.0.1:6379")],
    ["ECONNRESET", new Error("read ECONNRESET")],
    ["EPIPE", new Error("write EPIPE")],
    ["ENOTFOUND", new Error("getaddrinfo ENOTFOUND redis.example")],
    ["EAI_AGAIN", new Error("getaddrinfo EAI_AGAIN redis.example")],
    ["a string", "Socket closed unexpectedly"],
    // Node's answer for a host with several addresses: no message at all.
    [
      "every address of a host refused",
      Object.assign(new AggregateError([new Error("connect ECONNREFUSED ::1:6379")]), {
        code: "ECONNREFUSED",
      }),
    ],
  ];
  test.each(passing)("classify takes it for passing: %s", (_, error) => {
    expect(classify(error)).toBe("passing");
  });

  describe.each([
    ["node-redis 5", five],
    ["node-redis 6", six],
  ] as const)("%s", (_, client) => {
    test("classify takes what its own errors tell of the connection for passing", () => {
      const errors = [
        new client.SocketClosedUnexpectedlyError(),
        new client.ClientClosedError(),
        new client.ClientOfflineError(),
        new client.ConnectionTimeoutError(),
        new client.DisconnectsClientError(),
        new client.SocketTimeoutError(5000),
        new client.TimeoutError(),
        new client.SocketTimeoutDuringMaintenanceError(5000),
        new client.CommandTimeoutDuringMaintenanceError(5000),
        new Error("The queue is full"),
      ];
      expect(errors.map(classify)).toEqual(errors.map(() => "passing"));
    });

    test("classify reads an error reply by its first word", () => {
      expect(classify(new client.SimpleError("LOADING Redis is loading"))).toBe("passing");
      expect(classify(new client.SimpleError("NOSCRIPT No matching script"))).toBe("noScript");
      expect(classify(new client.SimpleError("NOPERM no permissions"))).toBe("final");
      expect(classify(new client.BlobError("WRONGTYPE Operation against a key"))).toBe("final");
    });
  });

  test("classify takes anything else for final", () => {
    for (const error of [new TypeError("x is not a function"), undefined, null, 5, {}]) {
      expect(classify(error)).toBe("final");
    }
  });
});

describe("redisError", () => {
  test("redisError says that Redis is not available where the failure passes", () => {
    const cause = new SocketClosedUnexpectedlyError();
    const error = redisError("enqueue", cause);
    expect(error).toMatchObject({ name: "EmbedqError", code: "ERR_REDIS_UNAVAILABLE", cause });
    expect(error.message).toBe(
      "Cannot enqueue as Redis is not available: Socket closed unexpectedly",
    );
  });

  test("redisError says that Redis refused the command where it always will", () => {
    const error = redisError("claim", new ErrorReply("NOPERM no permissions"));
    expect(error).toMatchObject({ code: "ERR_REDIS_REPLY" });
    expect(error.message).toBe("Cannot claim as Redis refused it: NOPERM no permissions");
  });

  test("redisError leaves an error of embedq as it is", () => {
    const own = new EmbedqError("ERR_STOPPED", "stopped");
    expect(redisError("claim", own)).toBe(own);
  });
});
