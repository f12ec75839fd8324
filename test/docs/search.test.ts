// The commands of vector search. Debian's Redis has no search module, so FT.CREATE and FT.SEARCH are
// not run here: their words are compared with the documented grammar, and with the fields that the
// library writes. What stands below "Without a vector index" is run in shell.test.ts.

import { expect, test } from "bun:test";
import { destinationFields } from "../../src/redis/scripts/destination.ts";
import { examplesOf } from "./examples.ts";

const FIELDS = destinationFields("embedding");
const commands = (await examplesOf("docs/guides/search.md"))
  .filter(({ language }) => language === "redis")
  .map(({ code }) =>
    [...code.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? ""),
  );

test("FT.CREATE indexes the fields that embedq writes", () => {
  const words = new Words(commands[0] ?? []);
  words.expect("FT.CREATE");
  expect(words.next()).toBe("articles");
  words.expect("ON", "HASH", "PREFIX");
  expect(words.list()).toEqual(["article:"]);
  words.expect("SCHEMA");
  words.expect("title", "TEXT");
  words.expect(FIELDS.status, "TAG");
  words.expect(FIELDS.embedding, "VECTOR", "HNSW");
  const attributes = words.list();
  const pairs = Object.fromEntries(
    attributes.flatMap((name, i) => (i % 2 === 0 ? [[name, attributes[i + 1]]] : [])),
  );
  expect(pairs).toEqual({ TYPE: "FLOAT32", DIM: "1536", DISTANCE_METRIC: "COSINE" });
  words.expectEnd();
});

test("FT.SEARCH asks for the nearest among those that have a vector of the provider", () => {
  const words = new Words(commands[1] ?? []);
  words.expect("FT.SEARCH", "articles");
  const query = words.next();
  const [, status, value, vector, parameter, distance] =
    /^\(@(\w+):\{(\w+)\}\)=>\[KNN \d+ @(\w+) \$(\w+) AS (\w+)\]$/.exec(query) ?? [];
  expect([status, value, vector]).toEqual([FIELDS.status, "embedded", FIELDS.embedding]);
  words.expect("PARAMS");
  expect(words.list()).toEqual([parameter ?? "", "<bytes>"]);
  words.expect("SORTBY", distance ?? "", "ASC", "RETURN");
  expect(words.list()).toEqual(["title", distance ?? ""]);
  words.expect("LIMIT", "0", "10", "DIALECT", "2");
  words.expectEnd();
});

/** Reads a command from its begin on. */
class Words {
  readonly #words: string[];

  constructor(words: readonly string[]) {
    this.#words = [...words];
  }

  next(): string {
    return this.#words.shift() ?? "";
  }

  /** A count, and as many words. */
  list(): string[] {
    return this.#words.splice(0, Number(this.next()));
  }

  expect(...wanted: readonly string[]): void {
    expect(this.#words.splice(0, wanted.length)).toEqual([...wanted]);
  }

  expectEnd(): void {
    expect(this.#words).toEqual([]);
  }
}
