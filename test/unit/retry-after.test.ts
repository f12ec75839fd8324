// When a provider wants to be asked again.

import { describe, expect, test } from "bun:test";
import { type HeaderSource, readStatement } from "../../src/model/http-reply.ts";
import { askedWaitMs } from "../../src/model/retry-after.ts";

const NOW = Date.parse("2026-10-21T07:00:00Z");

function wait(headers: HeaderSource | undefined, body?: unknown, status = 429): number | undefined {
  return askedWaitMs({ status, headers, body }, readStatement(body), NOW);
}

describe("Retry-After", () => {
  const rows: [Record<string, unknown>, number | undefined][] = [
    [{ "retry-after-ms": "1500" }, 1500],
    [{ "retry-after-ms": "20.5", "retry-after": "1" }, 21],
    [{ "retry-after": "20" }, 20_000],
    [{ "Retry-After": 7 }, 7000],
    [{ "RETRY-AFTER": ["7"] }, 7000],
    [{ "retry-after": "3600" }, 3_600_000],
    [{ "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" }, 28 * 60_000],
    [{ "retry-after": "Wed, 21 Oct 2026 06:28:00 GMT" }, undefined],
    [{ "retry-after": "0" }, undefined],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "-5" }, undefined],
    [{}, undefined],
  ];
  test.each(rows)("%p asks for %p ms", (headers, wanted) => {
    expect(wait(headers as HeaderSource)).toBe(wanted);
    const entries = Object.entries(headers).map(([name, value]) => [name, String(value)]);
    expect(wait(new Headers(entries as [string, string][]))).toBe(wanted);
  });

  test("a date is measured by the provider's own clock where it tells it", () => {
    const headers = {
      date: "Wed, 21 Oct 2026 07:27:50 GMT",
      "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT",
    };
    expect(wait(headers)).toBe(10_000);
  });

  test("a wait counts with every status", () => {
    expect(wait({ "retry-after": "5" }, undefined, 503)).toBe(5000);
  });
});

describe("x-ratelimit-reset", () => {
  const rows: [string, number | undefined][] = [
    ["6m0s", 360_000],
    ["1.5s", 1500],
    ["20ms", 20],
    ["1h2m3.5s", 3_723_500],
    ["1d", 86_400_000],
    ["7.66s", 7660],
    ["2026-10-21T07:12:30Z", 750_000],
    ["2026-10-21T09:12:30.5+02:00", 750_500],
    ["Wed, 21 Oct 2026 07:28:00 GMT", 1_680_000],
    ["2026-10-21T06:00:00Z", undefined],
    ["2026-10-21", undefined],
    ["12", 12_000],
    ["0s", undefined],
    ["s", undefined],
    ["5 s", undefined],
  ];
  test.each(rows)("%s is %p ms", (value, wanted) => {
    expect(wait({ "x-ratelimit-reset-requests": value })).toBe(wanted);
  });

  test("only the quota that is used up counts, and of two the longer", () => {
    const both = { "x-ratelimit-reset-requests": "2s", "x-ratelimit-reset-tokens": "6m0s" };
    expect(wait(both)).toBe(360_000);
    expect(wait({ ...both, "x-ratelimit-remaining-tokens": "100" })).toBe(2000);
    const used = { "x-ratelimit-remaining-requests": "0", "x-ratelimit-remaining-tokens": "100" };
    expect(wait({ ...both, ...used })).toBe(2000);
    expect(wait({ ...both, ...used, "x-ratelimit-remaining-requests": "9" })).toBeUndefined();
  });

  test("Retry-After comes first", () => {
    expect(wait({ "retry-after": "3", "x-ratelimit-reset-requests": "9s" })).toBe(3000);
  });

  test("another refusal than 429 is not about quotas", () => {
    expect(wait({ "x-ratelimit-reset-tokens": "6m0s" }, undefined, 503)).toBeUndefined();
  });

  test("OpenRouter tells the moment, in a header or in the body", () => {
    const headers = { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": String(NOW + 42_000) };
    expect(wait(headers)).toBe(42_000);
    expect(wait(undefined, { error: { code: 429, metadata: { headers } } })).toBe(42_000);
    expect(wait({ "x-ratelimit-reset": String(NOW / 1000 + 42) })).toBe(42_000);
  });
});

describe("the body", () => {
  const info = (retryDelay: string) => ({
    error: {
      code: 429,
      details: [
        { "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [] },
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay },
      ],
    },
  });

  test("Gemini's RetryInfo is a decimal duration", () => {
    expect(wait({}, info("45.837906927s"))).toBe(45_838);
    expect(wait({}, JSON.stringify(info("3600s")))).toBe(3_600_000);
    expect(wait({}, info("0s"))).toBeUndefined();
    expect(wait({}, info("soon"))).toBeUndefined();
  });

  const spoken: [string, number | undefined][] = [
    ["Please try again in 6m0s.", 360_000],
    ["Please retry in 45.837s.", 45_837],
    ["Please retry after 7 seconds.", 7000],
    ["Try again in 2 minutes", 120_000],
    ["please try again in 20ms. Visit https://x", 20],
    ["Please try again in a moment", undefined],
    ["Please try again later", undefined],
  ];
  test.each(spoken)("%p asks for %p ms", (message, wanted) => {
    expect(wait({}, { error: { message } })).toBe(wanted);
  });
});
