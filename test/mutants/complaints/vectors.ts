// What sees to it that each text gets its own, whole vector, taken away.

import type { Mutant } from "../mutant.ts";
import { complaint } from "./complaint.ts";

const CONTRACT = "model/contract.ts";
const GEMINI = "providers/gemini.ts";
const REPLIES = "providers/replies.ts";

/** Replies: whose vector it is, in which form, and of which size. */
export const VECTORS: readonly Mutant[] = [
  complaint(
    "06-order",
    "vectors that come in another order, which `index` tells, are each stored with their own text",
    "the index is not looked at",
    [
      REPLIES,
      "for (const [i, item] of list.entries()) inOrder[(indexes[i] ?? 0) - first] = item;",
      "",
    ],
  ),
  complaint(
    "06-order",
    "vectors that come in order, with 0 as the index of all, are each stored with their own text",
    "an index counts although it is no whole order",
    [
      REPLIES,
      "indexes.every(isIndex) && new Set(indexes).size === count",
      "indexes.every(isIndex)",
    ],
  ),
  ...["one too few", "one too many", "one for all"].map((number) =>
    complaint(
      "06-order",
      `of a reply with vectors ${number}, not one is stored`,
      `vectors are dealt out whatever their number: ${number}`,
      [
        "providers/openai-compatible.ts",
        "results: placeVectors(data, texts.length, dimensions),",
        "results: texts.map((_, i) => placeVectors(data, data.length, dimensions)[i % data.length]),",
      ],
    ),
  ),
  complaint(
    "06-order",
    "Gemini gets one content for each text, and a reply that fuses them is not stored",
    "vectors of Gemini are dealt out whatever their number",
    [
      GEMINI,
      "const vectors = listVectors(embeddings, texts.length, dimensions);",
      "const vectors = texts.map((_, i) => listVectors(embeddings, embeddings.length, dimensions)[i % embeddings.length]);",
    ],
  ),
  complaint(
    "07-encodings",
    "base64 where floats were asked for is understood",
    "base64 is not expected",
    [REPLIES, 'if (typeof embedding === "string") return decodeVector(embedding, dimensions);', ""],
  ),
  complaint(
    "07-encodings",
    "floats where base64 was asked for is understood",
    "floats are not expected",
    [REPLIES, "if (Array.isArray(embedding)) return embedding as readonly number[];", ""],
  ),
  complaint(
    "07-encodings",
    "four numbers for each in the place of a vector is an error that says so, and nothing is stored",
    "the number of numbers is not checked",
    [
      CONTRACT,
      "if (bytes.length !== dimensions * FLOAT_BYTES) {",
      "into = new Uint8Array(bytes.length); if (false) {",
    ],
  ),
  complaint(
    "07-encodings",
    "base64 of a quarter in the place of a vector is an error that says so, and nothing is stored",
    "the size of base64 is not checked",
    [
      "providers/base64.ts",
      "if (digits !== Math.ceil((wanted * 4) / 3) || bytes.length !== wanted) {",
      "if (false) {",
    ],
  ),
  complaint(
    "08-sizes",
    "a vector with one number too few is never stored",
    "the size is not checked",
    [
      CONTRACT,
      "if (bytes.length !== dimensions * FLOAT_BYTES) {",
      "into = new Uint8Array(bytes.length); if (false) {",
    ],
  ),
  complaint("08-sizes", "a vector with not a number is never stored", "numbers are not checked", [
    CONTRACT,
    "if (!Number.isFinite(sum)) {",
    "if (false) {",
  ]),
  ...["nothing but zeros", "nothing but what float32 takes for zero"].map((vector) =>
    complaint(
      "08-sizes",
      `a vector with ${vector} is never stored`,
      `a vector without a direction is one: ${vector}`,
      [CONTRACT, "if (sum === 0) return", "if (sum < 0) return"],
    ),
  ),
  complaint(
    "08-sizes",
    "two models, or two sizes of one, never mix in a queue",
    "settings that differ are no conflict",
    ["redis/scripts/settings.ts", "if #conflicts > 1 then return conflicts end", ""],
  ),
  complaint(
    "08-sizes",
    "what was stored in another size is no vector to the one who reads it",
    "what is stored is not checked",
    [
      "model/outcome.ts",
      "if (isWhole && (wanted ?? vector.length) === vector.length) return;",
      "if (isWhole) return;",
    ],
  ),
];
