// Vectors in base64: decoded straight to their float32 bytes; no number is parsed.

import { Buffer } from "node:buffer";
import { EmbedqError } from "../model/errors.ts";
import { FLOAT_BYTES } from "../model/vector.ts";

/** The bytes of a vector of this many numbers, or the error where it is no base64, or of another size. */
export function decodeVector(base64: string, dimensions: number): Uint8Array | EmbedqError {
  const wanted = dimensions * FLOAT_BYTES;
  const digits = base64.length - paddingOf(base64);
  const bytes = Buffer.from(base64, "base64");
  // Buffer leaves out what is no digit: of the right number of digits, less bytes are left then.
  if (digits !== Math.ceil((wanted * 4) / 3) || bytes.length !== wanted) {
    const found = `${base64.length} characters that give ${bytes.length} bytes`;
    return new EmbedqError(
      "ERR_EMBEDDER_CONTRACT",
      `Cannot use the provider's vector as it must be ${wanted} bytes (${dimensions} numbers) in base64: it is ${found}`,
    );
  }
  // Not a Buffer: its slice() shares memory.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function paddingOf(base64: string): number {
  if (base64.endsWith("==")) return 2;
  return base64.endsWith("=") ? 1 : 0;
}
