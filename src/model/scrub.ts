// What a provider says, made fit for messages, events and dead letters: short, on one line, and
// without credentials.

/** Longer messages tell nothing more, and each is kept in every dead letter of its call. */
const MAX_LENGTH = 500;

/** Forms that credentials have, whoever echoes them. What stands in the group is kept. */
const CREDENTIALS: readonly RegExp[] = [
  /(\bbearer\s+)[^\s"',;]+/gi,
  /(\bapi[ _-]?keys?(?: provided)?["']?\s*[:=]\s*["']?)[^\s"',;&]+/gi,
  /([?&](?:key|token|api[_-]?key|access_token)=)[^\s"'&]+/gi,
  /()\b(?:sk|rk|pk|hf|gsk|pplx|xai|nvapi|jina|pa)[-_][\w*.-]{6,}/g,
  /()\bAIza[\w*-]{8,}/g,
];

/** Below this, a secret or a text is a word that may stand in any message. */
const MIN_HIDDEN = 6;

/** What must not be shown although it fits no form. */
export interface Hidden {
  /** Credentials that were used. */
  readonly secrets?: readonly string[];
  /** Texts that were sent: providers echo them. */
  readonly texts?: readonly string[];
}

/** A message that can be shown, at most 500 characters long. */
export function scrub(message: string, { secrets = [], texts = [] }: Hidden = {}): string {
  // Bounded first, so that a long echo costs nothing; what is cut may be half a secret, which the
  // forms still catch.
  let shown = message.slice(0, 8 * MAX_LENGTH);
  for (const secret of secrets) {
    if (secret.length >= MIN_HIDDEN) shown = shown.replaceAll(secret, "***");
  }
  for (const text of texts) {
    if (text.length >= 2 * MIN_HIDDEN) shown = shown.replaceAll(text, "<text>");
  }
  for (const form of CREDENTIALS) shown = shown.replace(form, "$1***");
  shown = shown.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return shown.length > MAX_LENGTH ? `${shown.slice(0, MAX_LENGTH - 1)}…` : shown;
}
