// Vectors and their bytes. Vector search reads little-endian float32, one after the other.

import { kindOf } from "./check.ts";
import type { EmbeddingVector } from "./embedder.ts";
import { EmbedqError } from "./errors.ts";

/** Bytes of one number in a stored vector. */
export const FLOAT_BYTES = 4;

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The bytes of a vector, unchanged where it already is bytes. */
export function toVectorBytes(vector: EmbeddingVector): Uint8Array {
  if (vector instanceof Uint8Array) return vector;
  const floats = vector instanceof Float32Array ? vector : Float32Array.from(vector);
  if (isLittleEndian) return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
  const bytes = new Uint8Array(floats.length * FLOAT_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [i, float] of floats.entries()) view.setFloat32(i * FLOAT_BYTES, float, true);
  return bytes;
}

/** The numbers of a stored vector, in memory of their own. The length must be a multiple of four. */
export function fromVectorBytes(bytes: Uint8Array): Float32Array {
  // Not by slice(), which in Node's Buffer shares the memory.
  return numbersOf(new Uint8Array(bytes));
}

/** The numbers of bytes: a view of them where that is possible. The length must be a multiple of four. */
export function numbersOf(bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, length } = bytes;
  // Bytes of a pooled buffer need not begin at a multiple of four.
  const isAligned = byteOffset % FLOAT_BYTES === 0;
  if (isLittleEndian && isAligned)
    return new Float32Array(buffer, byteOffset, length / FLOAT_BYTES);
  const view = new DataView(buffer, byteOffset, length);
  return Float32Array.from({ length: length / FLOAT_BYTES }, (_, i) =>
    view.getFloat32(i * FLOAT_BYTES, true),
  );
}

/** The bytes of a zero vector: what blank and dead texts get. */
export function zeroVectorBytes(dimensions: number): Uint8Array {
  return new Uint8Array(dimensions * FLOAT_BYTES);
}

/**
 * The numbers of a vector that was read with a client of one's own, from the field of a destination
 * hash: little-endian float32. The client must give bytes, not text.
 *
 * @throws {EmbedqError} `ERR_INPUT_INVALID` for what is no bytes; `ERR_EMBEDDING_CORRUPT` where they are
 *   none, or no whole number of float32.
 *
 * @example
 * ```ts
 * import { decodeEmbedding } from "embedq";
 *
 * export function lengthOf(bytes: Uint8Array): number {
 *   return Math.hypot(...decodeEmbedding(bytes));
 * }
 * ```
 */
export function decodeEmbedding(bytes: Uint8Array): Float32Array {
  if (!((bytes as unknown) instanceof Uint8Array)) {
    throw new EmbedqError(
      "ERR_INPUT_INVALID",
      `Cannot decode an embedding as it must be bytes, a Uint8Array or Buffer: it is ${kindOf(bytes)}. Ask the Redis client for buffers, as text destroys it`,
    );
  }
  if (!isWholeVector(bytes)) {
    throw new EmbedqError(
      "ERR_EMBEDDING_CORRUPT",
      `Cannot decode an embedding as it must have 4 bytes for each number: it has ${bytes.length}`,
    );
  }
  return fromVectorBytes(bytes);
}

/**
 * The bytes of a vector, as destination hashes hold it and as vector search takes it for a query:
 * little-endian float32, in memory of their own. node-redis wants them as
 * `Buffer.from(encodeEmbedding(vector))`.
 *
 * @throws {EmbedqError} `ERR_INPUT_INVALID` for what is no list of numbers, or holds one that is not
 *   finite as a float32.
 *
 * @example
 * ```ts
 * import { encodeEmbedding } from "embedq";
 *
 * export function nearest(vector: Float32Array): (string | Uint8Array)[] {
 *   const query = "*=>[KNN 10 @embedding $vector]";
 *   const vectorBytes = encodeEmbedding(vector);
 *   return ["FT.SEARCH", "docs", query, "PARAMS", "2", "vector", vectorBytes, "DIALECT", "2"];
 * }
 * ```
 */
export function encodeEmbedding(
  vector: readonly number[] | Float32Array | Float64Array,
): Uint8Array {
  const isFloats = vector instanceof Float32Array || vector instanceof Float64Array;
  if ((!isFloats && !Array.isArray(vector)) || vector.length === 0) {
    throw new EmbedqError(
      "ERR_INPUT_INVALID",
      `Cannot encode an embedding as it must be a list of numbers that is not empty: it is ${kindOf(vector)}`,
    );
  }
  const floats = Float32Array.from(vector as ArrayLike<number>);
  const at = floats.findIndex(
    (float, i) => typeof vector[i] !== "number" || !Number.isFinite(float),
  );
  if (at >= 0) {
    throw new EmbedqError(
      "ERR_INPUT_INVALID",
      `Cannot encode an embedding as all its numbers must be finite float32: number ${at} of ${floats.length} is not`,
    );
  }
  return toVectorBytes(floats);
}

/** Whether bytes are those of at least one number. */
export function isWholeVector(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.length % FLOAT_BYTES === 0;
}
