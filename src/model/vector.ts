// Vectors and their bytes. Vector search reads little-endian float32, one after the other.

import type { EmbeddingVector } from "./embedder.ts";

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
  // A copy: bytes of a pooled buffer need not begin at a multiple of four. Not by slice(), which
  // in Node's Buffer shares the memory.
  const own = new Uint8Array(bytes);
  if (isLittleEndian) return new Float32Array(own.buffer, own.byteOffset, own.length / FLOAT_BYTES);
  const view = new DataView(own.buffer, own.byteOffset, own.length);
  return Float32Array.from({ length: own.length / FLOAT_BYTES }, (_, i) =>
    view.getFloat32(i * FLOAT_BYTES, true),
  );
}

/** The bytes of a zero vector: what blank and dead texts get. */
export function zeroVectorBytes(dimensions: number): Uint8Array {
  return new Uint8Array(dimensions * FLOAT_BYTES);
}
