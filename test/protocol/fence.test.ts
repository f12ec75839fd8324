// The fence: what the write script lets into a destination.

import { expect, test } from "bun:test";
import {
  lookAtDestinations,
  readDestinations,
  writeDestinations,
} from "../../src/redis/scripts/destination.ts";
import { testScope } from "../helpers/scope.ts";
import { numbersOf, openRig, ZERO } from "./helpers/rig.ts";

const DAY_US = 86_400_000_000;

test("an older write never overwrites a newer one", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  expect(await rig.put("doc", 20, { text: "new" })).toBe("ok");
  for (const op of ["embed", "blank", "dead", "unset", "touch"] as const) {
    expect(await rig.put("doc", 19, { op, text: "old" })).toBe("newer");
  }
  expect(await scope.vector("doc")).toEqual(numbersOf("new"));
  expect(await scope.destination("doc")).toMatchObject({
    embedding_status: "embedded",
    embedding_version: "20",
  });
});

test("a newer write replaces whatever is older", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.put("doc", 20, { text: "old" });
  expect(await rig.put("doc", 21, { op: "blank" })).toBe("ok");
  expect(await scope.vector("doc")).toEqual([...ZERO]);
  const { embedding_status, embedding_source } = await scope.destination("doc");
  expect(embedding_status).toBe("blank");
  expect(embedding_source).toBeUndefined();
});

test("a dead mark or a zero never replaces a vector of the same version", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.put("doc", 20, { text: "paid for" });
  for (const op of ["dead", "unset", "blank"] as const) {
    expect(await rig.put("doc", 20, { op })).toBe("same");
  }
  expect(await scope.vector("doc")).toEqual(numbersOf("paid for"));
  expect((await scope.destination("doc"))["embedding_status"]).toBe("embedded");
});

test("a vector replaces a dead mark of the same version, and may be written again", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  for (const op of ["dead", "unset"] as const) {
    expect(await rig.put(op, 20, { op })).toBe("ok");
    expect(await rig.put(op, 20, { text: "late" })).toBe("ok");
    expect(await rig.put(op, 20, { text: "late" })).toBe("ok");
    expect(await scope.vector(op)).toEqual(numbersOf("late"));
    expect((await scope.destination(op))["embedding_status"]).toBe("embedded");
  }
});

test("a damaged stored version counts as none", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const dayAhead = String((await rig.nowUs()) + DAY_US + 60_000_000);
  for (const damaged of ["1e300", "text", "-5", "1.5", "", " 7", dayAhead]) {
    await scope.client.hSet("doc", "embedding_version", damaged);
    const [look] = await lookAtDestinations(rig.link, rig.fields, 0, [{ key: "doc", digest: "" }]);
    expect(look?.storedVersion).toBe(0);
    const [read] = await readDestinations(rig.link, rig.fields, [{ key: "doc", version: 1 }]);
    expect(read?.version).toBe(0);
    expect(await rig.put("doc", 20)).toBe("ok");
    expect((await scope.destination("doc"))["embedding_version"]).toBe("20");
  }
});

test("a stored version less than a day ahead counts", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const ahead = (await rig.nowUs()) + DAY_US - 60_000_000;
  await rig.put("doc", ahead, { text: "ahead" });
  expect(await rig.put("doc", ahead - 1, { text: "behind" })).toBe("newer");
  expect(await scope.vector("doc")).toEqual(numbersOf("ahead"));
});

test("unset takes the vector away and keeps status and version", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await scope.client.hSet("doc", "title", "the user's own");
  await rig.put("doc", 20);
  expect(await rig.put("doc", 21, { op: "unset" })).toBe("ok");
  expect(await scope.destination("doc")).toEqual({
    title: "the user's own",
    embedding_status: "dead",
    embedding_version: "21",
    bytes: undefined,
  } as never);
});

test("touch lifts the version of the same text and nothing else", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.put("doc", 20, { text: "same" });
  expect(await rig.put("doc", 21, { op: "touch", text: "same" })).toBe("ok");
  expect(await scope.vector("doc")).toEqual(numbersOf("same"));
  expect((await scope.destination("doc"))["embedding_version"]).toBe("21");
});

test("touch of another text, of a dead one, or of none says changed", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.put("other", 20, { text: "other" });
  await rig.put("dead", 20, { op: "dead" });
  for (const key of ["other", "dead", "none"]) {
    expect(await rig.put(key, 21, { op: "touch", text: "same" })).toBe("changed");
  }
  expect((await scope.destination("other"))["embedding_version"]).toBe("20");
  expect(await scope.client.exists("none")).toBe(0);
});

test("touch of a destination whose vector was taken away or cut says changed", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.put("doc", 20, { text: "same" });
  await scope.client.hDel("doc", "embedding");
  expect(await rig.put("doc", 21, { op: "touch", text: "same" })).toBe("changed");
  await scope.client.hSet("doc", "embedding", "short");
  expect(await rig.put("doc", 21, { op: "touch", text: "same" })).toBe("changed");
});

test("a key of another type in the middle harms no other", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await scope.client.set("b", "a string");
  const writes = ["a", "b", "c"].map((key) => ({
    key,
    op: "blank" as const,
    version: 20,
    vector: new Uint8Array(16),
    digest: "",
  }));
  const words = await writeDestinations(rig.link, rig.fields, "create", writes);
  expect(words).toEqual(["ok", "wrongtype", "ok"]);
  expect(await scope.client.get("b")).toBe("a string");
  expect((await scope.destination("c"))["embedding_status"]).toBe("blank");
});

test("skip writes nothing where the key is missing", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  for (const op of ["embed", "blank", "dead", "unset"] as const) {
    const write = { key: "doc", op, version: 20, vector: new Uint8Array(16), digest: "" };
    expect(await writeDestinations(rig.link, rig.fields, "skip", [write])).toEqual(["missing"]);
  }
  expect(await scope.client.exists("doc")).toBe(0);
});
