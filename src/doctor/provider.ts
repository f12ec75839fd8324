// Does the provider answer with vectors of the right size. One call, with a text that nothing is wrong with.

import { checkResults, checkVector } from "../model/contract.ts";
import { withinDeadline } from "../model/deadline.ts";
import { type Finding, ok, problem, warning } from "../model/diagnosis.ts";
import type { Embedder } from "../model/embedder.ts";
import { EmbedderError, EmbedqError, messageOf } from "../model/errors.ts";
import { scrub } from "../model/scrub.ts";
import { type Trouble, troubleOf } from "../model/trouble.ts";

const NAME = "provider";

/** Makes the call and tells how it went. */
export async function lookAtProvider(
  embedder: Embedder,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Finding> {
  signal?.throwIfAborted();
  const { model, dimensions, harmlessText: text = "hello" } = embedder;
  const startedAt = performance.now();
  try {
    const late = () => new EmbedderError("unavailable", `No answer within ${timeoutMs} ms`);
    const call = (callSignal: AbortSignal) => embedder.embed([text], { signal: callSignal });
    const reply = await withinDeadline(
      call,
      timeoutMs,
      signal ?? new AbortController().signal,
      late,
    );
    const [result] = checkResults(reply, 1);
    if (result instanceof Error) throw result;
    const vector = checkVector(result as Exclude<typeof result, Error | undefined>, dimensions);
    if (vector instanceof Error) throw vector;
  } catch (thrown) {
    signal?.throwIfAborted();
    return judge(thrown, embedder, text);
  }
  const ms = Math.round(performance.now() - startedAt);
  return ok(NAME, `The provider answers in ${ms} ms: ${model} gives ${dimensions} dimensions`);
}

function judge(thrown: unknown, { model }: Embedder, text: string): Finding {
  if (thrown instanceof EmbedqError && thrown.code === "ERR_EMBEDDER_CONTRACT") {
    const found = `The provider answers, but not as the embedder says: ${thrown.message}`;
    const advice =
      "Give the `dimensions` that the model has, or another model; with a function of your own, look at what it returns.";
    return problem(NAME, found, advice);
  }
  const trouble = troubleOf(thrown, { texts: [text] });
  const said = scrub(causesOf(trouble.error), { texts: [text] });
  const [found, advice] = explain(trouble, said, model);
  return (trouble.kind === "rateLimited" ? warning : problem)(NAME, `${found}: ${said}`, advice);
}

function explain(
  { kind, retryAfterMs, scope }: Trouble,
  said: string,
  model: string,
): [string, string] {
  if (kind === "rateLimited") {
    const wait = retryAfterMs === undefined ? "" : ` for ${Math.ceil(retryAfterMs / 1000)} s`;
    const advice = `Workers wait${wait} and go on by themselves. If it stays so, set a \`budget\`, or ask the provider for a higher limit.`;
    return ["The provider takes no more calls at the moment", advice];
  }
  if (kind === "unavailable") {
    const advice =
      "Check the address of the provider (`baseUrl`), whether this machine reaches it, and the provider's status page. Workers try again by themselves.";
    return ["The provider cannot be reached, or does not answer as it should", advice];
  }
  if (/\b40[13]\b|api.?key|unauthori|permission/i.test(said)) {
    const advice =
      "Check the key: that it is set where this process runs, is one of this provider, is not revoked, and may use this model.";
    return ["The provider refuses the key", advice];
  }
  if (kind === "fatal" && scope === "account") {
    return ["The provider refuses the account", "Look at its credit and limits at the provider."];
  }
  if (kind === "fatal" || kind === "rejected") {
    const advice = `Check that the provider has the model ${JSON.stringify(model)}, and the embedder's other options.`;
    return ["The provider refuses every call of this kind", advice];
  }
  return ["The embedder fails", "Look into the embedder: its error is none that a provider gives."];
}

/** fetch hides what is wrong in the cause. */
function causesOf(error: Error): string {
  const words = [messageOf(error)];
  let { cause } = error;
  for (let depth = 0; depth < 3 && cause instanceof Error; depth++) {
    const { message, code } = cause as Error & { code?: unknown };
    const word = message || String(code ?? "");
    if (word !== "" && !words.join().includes(word)) words.push(word);
    ({ cause } = cause);
  }
  return words.join(": ");
}
