// What a model of the AI SDK throws, sorted: replies by the one table, and what the SDK finds itself
// before or after a reply.

import { EmbedderError, EmbedqError, messageOf } from "../model/errors.ts";
import { sortRefusal } from "../model/refusals.ts";
import { type Hidden, scrub } from "../model/scrub.ts";
import { findIn } from "../model/thrown.ts";

/** Names of the SDK's errors for a model that is set up wrongly: no call of it can succeed. */
const SETUP_ERRORS = [
  "AI_InvalidArgumentError",
  "AI_LoadAPIKeyError",
  "AI_LoadSettingError",
  "AI_NoSuchModelError",
  "AI_UnsupportedFunctionalityError",
];

/**
 * The error to throw in the place of this one. None has it as its cause: the SDK's errors hold the
 * texts of the call.
 *
 * @param provider Name of the provider, for messages.
 */
export function sortThrown(thrown: unknown, provider: string, hidden: Hidden): unknown {
  const message = scrub(messageOf(thrown), hidden);
  const away = () =>
    new EmbedderError(
      "unavailable",
      scrub(`Cannot get embeddings from ${provider} as it must answer: ${message}`),
    );
  const found = findIn(thrown);
  if (found?.is === "sorted") return found.error;
  if (found?.is === "network") return away();
  if (found?.is === "reply") {
    const { reply } = found;
    const options = { ...hidden, nowMs: Date.now(), fallback: found.message };
    // Where it is no refusal the reply was a success, and its body was cut, no JSON, or of another form.
    return sortRefusal(reply, options) ?? (holdsJson(reply.body) ? odd(message) : away());
  }
  const { name, isRetryable } = (thrown ?? {}) as { name?: unknown; isRetryable?: unknown };
  // Without a status this is what the SDK says of a broken network, in the words of any runtime.
  if (isRetryable === true) return away();
  if (name === "AI_TooManyEmbeddingValuesForCallError") {
    return new EmbedderError("rejected", message, { exceeded: "items" });
  }
  if (SETUP_ERRORS.includes(String(name))) return new EmbedderError("fatal", message);
  return String(name).startsWith("AI_") ? new EmbedqError("ERR_EMBEDDER", message) : thrown;
}

/** @param body All that the error has for a body: text, where the SDK got that far. */
function holdsJson(body: unknown): boolean {
  return [body].flat().some((part) => {
    if (typeof part !== "string") return false;
    try {
      JSON.parse(part);
      return true;
    } catch {
      return false; // a page, or half a reply
    }
  });
}

function odd(found: string): EmbedqError {
  return new EmbedqError(
    "ERR_EMBEDDER_CONTRACT",
    scrub(
      `Cannot use the provider's reply as it must hold one list of numbers for each text: ${found}`,
    ),
  );
}
