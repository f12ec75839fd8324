// The numbers that the loopback providers give for a text: doubles, most of which float32 must round.

/** Ends of the range: they show what is lost on the way. */
export const EDGES: readonly number[] = [0.1, 1 / 3, -1e-40, 1.4e-45, 3.4028234e38, -2.5];

/** @param edges Numbers to begin with. */
export function numbersOf(
  text: string,
  dimensions: number,
  edges: readonly number[] = [],
): number[] {
  let seed = 2166136261;
  for (let at = 0; at < text.length; at++) {
    seed = Math.imul(seed ^ text.charCodeAt(at), 16777619) >>> 0;
  }
  return Array.from({ length: dimensions }, (_, i) => {
    seed = (Math.imul(seed ^ i, 1664525) + 1013904223) >>> 0;
    return edges[i] ?? (seed + 1) / 2 ** 31 - 1;
  });
}

/** The bytes that must be stored for them. */
export function bytesOf(numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, number] of numbers.entries()) view.setFloat32(i * 4, number, true);
  return bytes;
}

/** What both sides count: one token for four UTF-8 bytes, rounded up. */
export function tokensIn(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}
