/**
 * Embedders that come with embedq.
 *
 * @module
 */

export type { HashingOptions } from "./hashing.ts";
export { hashing } from "./hashing.ts";
