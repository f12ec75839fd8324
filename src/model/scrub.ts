// What a provider says, made fit for messages, events and dead letters: short, on one line, and
// without credentials.

import { withoutTexts } from "./echo.ts";
import { messageOf } from "./errors.ts";

/** Longer messages tell nothing more, and each is kept in every dead letter of its call. */
const MAX_LENGTH = 500;

/** Forms that credentials have, whoever echoes them. What stands in the group is kept. */
const CREDENTIALS: readonly RegExp[] = [
  /(\bbearer\s+)[^\s"',;]+/gi,
  /(\bapi[ _-]?keys?(?: provided)?["']?\s*[:=]\s*["']?)[^\s"',;&]+/gi,
  /([?&][\w.-]*(?:key|token|secret|signature|sig|password)=)[^\s"'&]+/gi,
  /()\b(?:sk|rk|pk|hf|gsk|pplx|xai|nvapi|jina|pa)[-_][\w*.-]{6,}/g,
  /()\bAIza[\w*-]{8,}/g,
];

/** Below these, a secret or a text is a word that may stand in any message. */
const MIN_SECRET = 6;
const MIN_TEXT_BYTES = 12;

/** What must not be shown although it fits no form. */
export interface Hidden {
  /** Credentials that were used. */
  readonly secrets?: readonly string[];
  /** Texts that were sent: providers echo them. */
  readonly texts?: readonly string[];
}

/** A message that can be shown, on one line, at most 500 characters long. */
export function scrub(message: string, { secrets = [], texts = [] }: Hidden = {}): string {
  let shown = message;
  // Before anything is cut: of half a secret nobody would know what it is.
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET) continue;
    shown = shown.replaceAll(secret, "***").replaceAll(JSON.stringify(secret).slice(1, -1), "***");
  }
  shown = withoutTexts(shown, texts, "<text>", MIN_TEXT_BYTES);
  for (const form of CREDENTIALS) shown = shown.replace(form, "$1***");
  shown = shown.replace(/[\s\p{Cc}]+/gu, " ").trim();
  if (shown.length <= MAX_LENGTH) return shown;
  // Not in the midst of a surrogate pair.
  return `${shown.slice(0, MAX_LENGTH - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Why a text has failed, as its dead letter may say it: without the text itself. */
export function reasonOf(error: Error, text: string): string {
  return scrub(messageOf(error), { texts: [text] });
}
