// Whose fault an embedder's failure is.

import { describe, expect, test } from "bun:test";
import { EmbedderError, type EmbedderErrorKind } from "../../src/model/errors.ts";
import { isOutage, type Trouble, troubleOf } from "../../src/model/trouble.ts";

/** An error with properties of its own, as client libraries make them. */
function errorWith(properties: object, message = "request failed"): Error {
  return Object.assign(new Error(message), properties);
}

/** fetch's error on Node: the reason is in the cause. */
function fetchFailed(cause: Error): TypeError {
  return new TypeError("fetch failed", { cause });
}

const kindOf = (thrown: unknown): Trouble["kind"] => troubleOf(thrown).kind;

describe("errors of embedq's own kind", () => {
  const kinds: EmbedderErrorKind[] = ["rejected", "rateLimited", "unavailable", "fatal"];

  test.each(kinds)("troubleOf keeps the kind %s", (kind) => {
    const error = new EmbedderError(kind, "said so", { retryAfterMs: 1500, scope: "account" });
    expect(troubleOf(error)).toEqual({
      kind,
      error,
      retryAfterMs: 1500,
      scope: "account",
      exceeded: undefined,
    });
  });

  test("troubleOf takes an EmbedderError at its word, whatever caused it", () => {
    const cause = errorWith({ status: 503, code: "ECONNRESET" });
    expect(kindOf(new EmbedderError("rejected", "no", { cause }))).toBe("rejected");
  });

  test("troubleOf names the worker and no time where the error does not", () => {
    const { scope, retryAfterMs } = troubleOf(new EmbedderError("fatal", "wrong key"));
    expect({ scope, retryAfterMs }).toEqual({ scope: "worker", retryAfterMs: undefined });
  });

  test.each([Number.NaN, -1000])("troubleOf takes a pause of %p for none named", (retryAfterMs) => {
    // Number("Wed, 21 Oct 2026 07:28:00 GMT") * 1000: Retry-After may be a date.
    const error = new EmbedderError("rateLimited", "later", { retryAfterMs });
    expect(troubleOf(error).retryAfterMs).toBeUndefined();
  });
});

describe("HTTP statuses", () => {
  test.each([408, 409, 425, 500, 502, 503, 504, 529, 599])(
    "troubleOf takes %i for an outage",
    (status) => {
      expect(kindOf(errorWith({ status }))).toBe("unavailable");
    },
  );

  const refusals: [number, Trouble["kind"]][] = [
    [400, "rejected"],
    [412, "fatal"],
    [413, "rejected"],
    [422, "rejected"],
    [401, "fatal"],
    [402, "fatal"],
    [403, "fatal"],
    [404, "fatal"],
    [200, "unclassified"],
  ];
  test.each(refusals)("troubleOf takes %i for %s", (status, kind) => {
    expect(kindOf(errorWith({ status }))).toBe(kind);
  });

  const names: [string, object][] = [
    ["status", { status: 429 }],
    ["statusCode", { statusCode: 429 }],
    ["response.status", { response: { status: 429 } }],
    ["statusCode beside a status in words", { status: "RESOURCE_EXHAUSTED", statusCode: 429 }],
  ];
  test.each(names)("troubleOf reads 429 under %s as a rate limit", (_, properties) => {
    expect(kindOf(errorWith(properties))).toBe("rateLimited");
  });

  const odd: [string, object][] = [
    ["a status in words", { status: "503" }],
    ["a response that is null", { response: null }],
    ["a status of NaN", { status: Number.NaN }],
  ];
  test.each(odd)("troubleOf makes nothing of %s", (_, properties) => {
    expect(kindOf(errorWith(properties))).toBe("unclassified");
  });

  test("troubleOf reads the status of a thrown object that is no error, such as a Response", () => {
    expect(kindOf(new Response("busy", { status: 503 }))).toBe("unavailable");
    expect(kindOf({ status: 429, message: "slower" })).toBe("rateLimited");
  });
});

describe("replies that client libraries attach", () => {
  const body = {
    error: {
      message: "You exceeded your current quota",
      type: "insufficient_quota",
      param: null,
      code: "insufficient_quota",
    },
  };
  const headers = { "retry-after": "120", "content-type": "application/json" };
  const shapes: [string, object][] = [
    ["openai", { status: 429, headers: new Headers(headers), ...body, code: "insufficient_quota" }],
    [
      "AI SDK",
      { statusCode: 429, responseHeaders: headers, responseBody: JSON.stringify(body), data: body },
    ],
    [
      "AI SDK, body not understood",
      { statusCode: 429, responseHeaders: headers, responseBody: JSON.stringify(body) },
    ],
    ["axios", { code: "ERR_BAD_REQUEST", response: { status: 429, headers, data: body } }],
    ["ollama", { status_code: 429, headers, body }],
  ];
  test.each(shapes)("troubleOf reads what %s throws", (_, properties) => {
    const trouble = troubleOf(errorWith(properties, "Request failed with status code 429"));
    expect(trouble).toMatchObject({ kind: "fatal", scope: "account", retryAfterMs: 120_000 });
    expect(trouble.error.message).toContain("You exceeded your current quota");
  });

  test("troubleOf reads the body that Google's client makes its message", () => {
    const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "90s" }];
    const error = { code: 429, status: "RESOURCE_EXHAUSTED", message: "slower", details };
    const thrown = errorWith({ status: 429, name: "ApiError" }, JSON.stringify({ error }));
    expect(troubleOf(thrown)).toMatchObject({ kind: "rateLimited", retryAfterMs: 90_000 });
    expect(troubleOf(thrown).error.message).toBe("HTTP 429 RESOURCE_EXHAUSTED: slower");
  });

  test("troubleOf finds the reply under retries and causes, the last one first", () => {
    const busy = errorWith({ statusCode: 503 });
    const slower = errorWith({ statusCode: 429, responseHeaders: { "retry-after": "7" } });
    const retries = errorWith({ name: "AI_RetryError", lastError: slower, errors: [busy, slower] });
    expect(troubleOf(retries)).toMatchObject({ kind: "rateLimited", retryAfterMs: 7000 });
    const list = errorWith({ errors: [busy, slower] });
    expect(kindOf(new Error("gave up", { cause: new Error("once more", { cause: list }) }))).toBe(
      "rateLimited",
    );
  });

  test("troubleOf keeps the word of an EmbedderError that was wrapped", () => {
    const inner = new EmbedderError("fatal", "no credit", { scope: "account" });
    const trouble = troubleOf(new Error("my own", { cause: inner }));
    expect(trouble).toMatchObject({ kind: "fatal", scope: "account", error: inner });
  });

  test("troubleOf measures a date by the time it is given", () => {
    const thrown = errorWith({
      status: 429,
      headers: { "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" },
    });
    const now = Date.parse("2026-10-21T07:27:00Z");
    expect(troubleOf(thrown, { nowMs: now }).retryAfterMs).toBe(60_000);
  });

  test("troubleOf shows neither the key nor what the client keeps of the request", () => {
    const thrown = errorWith({
      statusCode: 401,
      requestBodyValues: { values: ["the text"] },
      responseBody: JSON.stringify({ error: { message: "Incorrect API key: sk-abcdefghij" } }),
    });
    const { error } = troubleOf(thrown);
    expect(Bun.inspect(error)).not.toMatch(/sk-abc|the text/);
    expect(error.message).toBe("HTTP 401: Incorrect API key: ***");
  });

  test.each(["Connection error.", "Request timed out.", "Request was aborted."])(
    "troubleOf knows the openai client's %p",
    (message) => {
      expect(kindOf(new Error(message))).toBe("unavailable");
    },
  );
});

describe("network failures, as the runtimes throw them", () => {
  const shapes: [string, Error][] = [
    ["Node: refused", fetchFailed(errorWith({ code: "ECONNREFUSED" }))],
    ["Node: name not found", fetchFailed(errorWith({ code: "ENOTFOUND" }))],
    ["Node: closed by the server", fetchFailed(errorWith({ code: "UND_ERR_SOCKET" }))],
    ["Node: slow headers", fetchFailed(errorWith({ code: "UND_ERR_HEADERS_TIMEOUT" }))],
    ["Node: TLS", fetchFailed(errorWith({ code: "ERR_SSL_WRONG_VERSION_NUMBER" }))],
    [
      "Node: cut in the body",
      new TypeError("terminated", { cause: errorWith({ code: "UND_ERR_SOCKET" }) }),
    ],
    ["Node: http", errorWith({ code: "ECONNREFUSED" }, "connect ECONNREFUSED 127.0.0.1:9")],
    [
      "Node: every address refused",
      Object.assign(new AggregateError([new Error("v4"), new Error("v6")]), {
        code: "ECONNREFUSED",
      }),
    ],
    [
      "Bun: refused",
      Object.assign(new TypeError("Unable to connect. Is the computer able to access the url?"), {
        code: "ECONNREFUSED",
      }),
    ],
    ["Bun: refused, by its older code", errorWith({ code: "ConnectionRefused" })],
    ["Bun: socket closed", errorWith({ code: "ConnectionClosed" })],
    [
      "Bun: TLS",
      Object.assign(
        new TypeError("EPROTO: The TLS handshake failed. Does the server speak TLS on this port?"),
        { code: "EPROTO" },
      ),
    ],
    [
      "Deno: name not found",
      fetchFailed(new Error("error sending request for url (http://x/): client error (Connect)")),
    ],
    [
      "Deno: refused, by its older message",
      new TypeError("error sending request for url (http://x/)"),
    ],
    ["Deno: reset", fetchFailed(new Error("Connection reset by peer (os error 104)"))],
    ["Deno: cut in the body", new TypeError("error reading a body from connection")],
  ];
  test.each(shapes)("troubleOf takes it for an outage: %s", (_, error) => {
    expect(troubleOf(error)).toMatchObject({ kind: "unavailable", scope: "worker" });
    expect(troubleOf(error).error).toBe(error);
  });

  test("troubleOf finds the reason some levels down, as clients wrap it", () => {
    const wrapped = new Error("Connection error.", {
      cause: new Error("request failed", { cause: fetchFailed(errorWith({ code: "ECONNRESET" })) }),
    });
    expect(kindOf(wrapped)).toBe("unavailable");
  });

  test("troubleOf finds a reply that began well and was cut", () => {
    const cause = new TypeError("terminated", { cause: errorWith({ code: "UND_ERR_SOCKET" }) });
    const cut = errorWith({ statusCode: 200, cause }, "Failed to process successful response");
    expect(kindOf(cut)).toBe("unavailable");
    expect(kindOf(errorWith({ statusCode: 200 }, "Invalid JSON response"))).toBe("unclassified");
  });

  test("troubleOf knows Deno's words in an error of a client library", () => {
    const words = "error sending request for url (http://127.0.0.1:9/v1/embeddings)";
    expect(kindOf(new Error(words))).toBe("unavailable");
    expect(kindOf(new Error("the error sending request bodies has"))).toBe("unclassified");
  });

  test("troubleOf ends on an error that is its own cause", () => {
    const error = new Error("round");
    error.cause = error;
    expect(kindOf(error)).toBe("unclassified");
  });

  const ended: [string, Error][] = [
    ["AbortError", new DOMException("This operation was aborted", "AbortError")],
    ["TimeoutError", new DOMException("The operation timed out", "TimeoutError")],
    ["an AbortError of a library", Object.assign(new Error("stopped"), { name: "AbortError" })],
  ];
  test.each(ended)("troubleOf takes it for an outage: %s", (_, error) => {
    expect(kindOf(error)).toBe("unavailable");
  });
});

describe("everything else", () => {
  const plain: [string, unknown][] = [
    ["a plain Error", new Error("odd")],
    ["a fault in the embedder's code", new TypeError("x is not a function")],
    [
      "a fault in the embedder's code that only names a network",
      new TypeError("Cannot read properties of undefined (reading 'networkOptions')"),
    ],
    ["an error with another code", errorWith({ code: "ERR_INVALID_ARG_TYPE" })],
    ["an error with a code that is a number", errorWith({ code: 42 })],
  ];
  test.each(plain)("troubleOf leaves it unclassified: %s", (_, thrown) => {
    expect(troubleOf(thrown)).toMatchObject({ kind: "unclassified", retryAfterMs: undefined });
  });

  test.each(["words", 42, undefined, null])("troubleOf makes an Error of %p", (thrown) => {
    const { kind, error } = troubleOf(thrown);
    expect(kind).toBe("unclassified");
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe(String(thrown));
  });

  test("isOutage is true for what costs no attempt, and for nothing else", () => {
    const kinds = ["rejected", "rateLimited", "unavailable", "fatal", "unclassified"] as const;
    const outages = kinds.filter((kind) =>
      isOutage({
        kind,
        error: new Error(),
        retryAfterMs: undefined,
        scope: "worker",
        exceeded: undefined,
      }),
    );
    expect(outages).toEqual(["rateLimited", "unavailable", "fatal"]);
  });
});
