/**
 * Embedders that come with embedq.
 *
 * @module
 */

export type { HashingEmbedder, HashingOptions } from "./hashing.ts";
export { hashing } from "./hashing.ts";
