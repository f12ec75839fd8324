// embedq get: what one destination holds.

import { encodeEmbedding, type StoredEmbedding } from "../../index.ts";
import { type AddCommand, defineCommand } from "../command.ts";
import { CommandError } from "../errors.ts";
import { oneLine } from "../format.ts";
import { toggle } from "../options/schemas.ts";
import { option } from "../options/spec.ts";

const SHOWN_NUMBERS = 6;

export const get: AddCommand = defineCommand({
  name: "get",
  args: "<key>",
  summary: "show what a destination holds: vector, status, version, source",
  examples: [
    ["get doc:1", "in words"],
    ["get doc:1 --json | jq .embedding[0]", "all numbers"],
    ["get doc:1 --raw > vector.f32", "the float32 bytes as they are stored"],
  ],
  options: { raw: option("--raw", "only the vector, as little-endian float32 bytes", toggle) },
  async run(context, { raw }, [key = ""]) {
    const { out } = context;
    const queue = await context.queue();
    const stored = await queue.get(key);
    if (stored === undefined) {
      throw new CommandError(`There is no embedding at ${JSON.stringify(oneLine(key, 200))}`, {
        hint: "does it wait? embedq stats tells; texts that were given up: embedq dead ls",
      });
    }
    if (raw === true) {
      if (stored.embedding === undefined)
        throw new CommandError("There is no vector, only a status");
      await out.write(encodeEmbedding(stored.embedding));
    } else if (out.isJson) {
      out.json({ ...stored, embedding: stored.embedding && [...stored.embedding] });
    } else {
      for (const [name, value] of Object.entries(factsOf(stored))) {
        out.line(`${out.style.dim(name.padEnd(11))}${value}`);
      }
    }
    return undefined;
  },
});

function factsOf({
  key,
  status,
  version,
  source,
  embedding,
}: StoredEmbedding): Record<string, string> {
  const versionText =
    version === undefined ? "-" : `${version} (${new Date(version / 1000).toISOString()})`;
  return {
    key: oneLine(key),
    status: status ?? "none (written by another system)",
    version: versionText,
    source: oneLine(source ?? "-"),
    embedding: embedding === undefined ? "none" : numbersOf(embedding),
  };
}

function numbersOf(embedding: Float32Array): string {
  const first = [...embedding.subarray(0, SHOWN_NUMBERS)].map((value) => value.toFixed(4));
  const length = Math.sqrt(embedding.reduce((sum, value) => sum + value * value, 0));
  const more = embedding.length > SHOWN_NUMBERS ? ", …" : "";
  return `${embedding.length} numbers, length ${length.toFixed(4)}: ${first.join(", ")}${more}`;
}
