// The names of a queue in Redis.

import { expect, test } from "bun:test";
import { isOfAnyQueue, keyspaceChannel, queueKeys } from "../../src/redis/keys.ts";

test("queueKeys gives every key the queue's hash tag, so that all share one cluster slot", () => {
  const keys = queueKeys("docs");
  for (const key of [...keys.all, keys.doorbell]) expect(key).toStartWith("{docs}:");
  expect(new Set([...keys.all, keys.doorbell]).size).toBe(10);
});

test("queueKeys hands the keys to the scripts in the order of their prelude", () => {
  const parts = queueKeys("q").all.map((key) => key.slice("{q}:".length));
  expect(parts).toEqual([
    "pending",
    "dedup",
    "retries",
    "dead",
    "settings",
    "clock",
    "flush",
    "cooldown",
    "usage",
  ]);
});

test("queueKeys reserves what its own keys begin with, and no other queue's", () => {
  const { reservedPrefix, all } = queueKeys("docs");
  expect(all.every((key) => key.startsWith(reservedPrefix))).toBe(true);
  expect(queueKeys("docs2").pending.startsWith(reservedPrefix)).toBe(false);
});

test("isOfAnyQueue knows the keys of every queue and every account's budget, and no key of a user's", () => {
  for (const key of queueKeys("a queue: of mine").all) expect(isOfAnyQueue(key)).toBe(true);
  expect(isOfAnyQueue("{embedq:my account}:budget")).toBe(true);
  const others = [
    "doc:settings",
    "{doc}:settings:1",
    "{doc}:title",
    "x{doc}:settings",
    "{}:settings",
    "{doc}:budget",
    "{doc\n}:settings",
  ];
  expect(others.filter(isOfAnyQueue)).toEqual([]);
});

test("keyspaceChannel is the channel on which Redis announces writes to a key", () => {
  expect(keyspaceChannel(3, "doc:1")).toBe("__keyspace@3__:doc:1");
});
