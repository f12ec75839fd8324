// embedq demo: the main job for real, on a Redis that need not be there.

import * as v from "valibot";
import { type AddCommand, defineCommand } from "../command.ts";
import { count, offering, parsed, redisUrl, words } from "../options/schemas.ts";
import { type OptionSpec, option, repeated, shared } from "../options/spec.ts";

const KINDS = ["url", "private", "embedded"];

/** In the place of the common one: here it may also be a kind. */
const redis: OptionSpec<string | undefined> = {
  ...shared(
    option(
      "--redis <where>",
      "a URL, or url: the Redis that the environment names, which is left as it was found; private: a redis-server from PATH, for this run only; embedded: a server in this process, for at most 1,000 texts. Without it, the first of them that can be had",
      offering(
        KINDS,
        parsed(`must be a URL or one of ${KINDS.join(", ")}`, (value) =>
          KINDS.includes(String(value)) || v.is(redisUrl, value) ? String(value) : undefined,
        ),
      ),
    ),
  ),
  isSecret: true,
};

export const demo: AddCommand = defineCommand({
  name: "demo",
  args: "[file...]",
  summary: "the queue at work: real texts, two worker processes, a search; needs no Redis",
  description:
    "Enqueues texts, drains them in two other processes, checks every vector and searches them. The texts are those of the files and folders that are named, or those that come with embedq. Nothing is left behind.",
  examples: [
    ["demo", "on what is there"],
    ['demo --ask "How do I cancel an order?" notes/', "answers from texts of one's own"],
  ],
  options: {
    redis,
    texts: option("--texts <count>", "how many (default: 3000; embedded: 600)", count()),
    ask: repeated(
      option("--ask <question>", "what to look for; may be given several times", words),
    ),
  },
  async run(context, { redis: where, texts, ask = [] }, files) {
    // A part of its own, which no other command loads.
    const { runDemo } = await import("../demo/demo.ts");
    const place = where === "url" ? context.redis : where;
    const questions = ask.filter((question) => question.trim() !== "");
    return runDemo(context, { redis: place, texts, questions, files });
  },
});
