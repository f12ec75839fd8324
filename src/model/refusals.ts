// The one table that sorts a provider's refusal into what is done about it.

import { withoutTexts } from "./echo.ts";
import {
  type CallMeasure,
  EmbedderError,
  type EmbedderErrorKind,
  type EmbedderErrorOptions,
} from "./errors.ts";
import { type HttpReply, holdsError, isPage, readStatement, type Statement } from "./http-reply.ts";
import { askedWaitMs } from "./retry-after.ts";
import { type Hidden, scrub } from "./scrub.ts";

/** What a row looks at: the status, and the sentences of the body without texts and what they quote. */
interface Refusal {
  readonly status: number | undefined;
  readonly words: string;
  readonly statement: Statement;
}

/** All that a row names must hold. */
interface Row {
  /** Statuses that the row is about; any where it names none. An error without a status fits by its words. */
  readonly of?: readonly number[];
  /** Codes and phrases, one of which must be there. */
  readonly codes?: readonly string[];
  readonly says?: readonly RegExp[];
  readonly where?: (refusal: Refusal) => boolean;
  readonly kind: EmbedderErrorKind;
  readonly scope?: "account";
  readonly exceeded?: CallMeasure | "text";
}

/** No shorter text has the words of a row. */
const MIN_DECIDING_BYTES = 6;

/** Statuses that refuse what was sent. */
const INPUT = [400, 406, 413, 414, 422];

/**
 * The table; the first row that fits counts. Codes and sentences come before statuses, because
 * providers use one status for many things: 400 is a bad text, a batch that is too large, a wrong
 * key and an account without credit.
 */
const TABLE: readonly Row[] = [
  // The call as a whole is too large: no text is at fault.
  {
    of: INPUT,
    codes: ["max_tokens_per_request"],
    says: [
      /\btokens (per|in) ((the|your|this|a|submitted) )*(batch|request)\b/i,
      /\btoo many tokens overall\b/i,
    ],
    kind: "rejected",
    exceeded: "tokens",
  },
  // More tokens in one call than a whole minute has: to wait is no use.
  { of: [429], says: [/request too large/i], kind: "rejected", exceeded: "tokens" },
  {
    of: INPUT,
    codes: ["array_above_max_length"],
    says: [
      /\barray too long\b/i,
      /\btoo many (inputs|items|texts|documents|strings|instances)\b/i,
      /\bat most \d+ (requests|inputs|items|texts|documents|strings|instances)\b/i,
      /\bnumber of (inputs|items|texts|documents)\b.{0,60}\b(at most|exceeds?|max|limit)/i,
      /\bbatch size\b.{0,60}(>|\blarger|\bgreater|\bexceed|\bmax|\blimit)/i,
      /\bbatch size limit\b/i,
      /\b\d+ instance\(s\) is allowed\b/i,
    ],
    kind: "rejected",
    exceeded: "items",
  },
  // One text is too long. llama.cpp says so with 500.
  {
    of: [...INPUT, 500],
    codes: ["context_length_exceeded", "string_above_max_length", "exceed_context_size_error"],
    says: [
      /\bcontext (length|size|window)\b/i,
      /\bmaximum input length\b/i,
      /\bn_ctx/,
      /\b(input|text|prompt|document|sequence|string)\b.{0,40}\b(too long|longer than|exceeds the (max|limit))/i,
      /\btokens\)? (is )?too large to process\b/i,
      /\binput is too large to process\b/i,
      /\bmust have less than \d+ tokens\b/i,
      /\btoken count\b.{0,60}\b(exceeds|supports up to)\b/i,
    ],
    kind: "rejected",
    exceeded: "text",
  },
  {
    of: INPUT,
    says: [
      /\b(payload|body|entity)\b.{0,30}\b(too large|exceed|larger)/i,
      /\brequest (is )?too large\b/i,
      /\blength limit exceeded\b/i,
    ],
    kind: "rejected",
    exceeded: "bytes",
  },
  { of: [413], kind: "rejected", exceeded: "bytes" },

  // No credit, or nothing left for today: nobody with this account can call.
  { of: [402], kind: "fatal", scope: "account" },
  {
    codes: [
      "insufficient_quota",
      "credits_exhausted",
      "billing_hard_limit_reached",
      "billing_not_active",
      "Arrearage",
    ],
    kind: "fatal",
    scope: "account",
  },
  {
    of: [400, 401, 403, 412, 429],
    says: [
      /\binsufficient (account )?(balance|credits?|funds)\b/i,
      /\bbalance is (insufficient|not enough)\b/i,
      /\bbilling (hard )?limit\b/i,
      /\b(run )?out of credits\b/i,
      /\b(organization|account)\b.{0,60}\b(disabled|deactivated|suspended)\b/i,
    ],
    kind: "fatal",
    scope: "account",
  },
  // Google's daily quota has the sentence of the quota of a minute, but not its name.
  {
    where: ({ statement }) => statement.quotas.some((quota) => /per_?day/i.test(quota)),
    kind: "fatal",
    scope: "account",
  },

  // A text that moderation does not let pass. OpenRouter says so with 403.
  {
    of: [...INPUT, 403],
    codes: [
      "content_filter",
      "content_policy_violation",
      "data_inspection_failed",
      "DataInspectionFailed",
    ],
    says: [/\binput was flagged\b/i, /\brequires moderation\b/i],
    kind: "rejected",
  },

  // A model that is not there yet.
  {
    of: INPUT,
    codes: ["DeploymentNotReady"],
    says: [/\bmodel\b.{0,80}\bloading\b/i, /\b(model|deployment) is (not ready|being upgraded)\b/i],
    kind: "unavailable",
  },

  // How this worker is set up: no call of it can succeed, whatever the text.
  {
    of: INPUT,
    codes: ["API_KEY_INVALID", "invalid_api_key", "model_not_found", "FAILED_PRECONDITION"],
    says: [
      /\bAPI key (is )?(not valid|invalid|expired)\b/i,
      /\binvalid API key\b/i,
      /\bauthorization header\b/i,
      /\bapi[- ]?version\b/i,
      /\b(invalid|unknown|unsupported|no such) model\b/i,
      /\bmodel\b.{0,80}\b(not found|does not exist|not supported)\b/i,
      /\bdoes not support (specifying dimensions|matryoshka|changing)/i,
      /\bdimensions? (is|are|must|should)\b/i,
      /\bparameters\.dimension/i,
      /\bunrecognized request argument/i,
      /\bunknown (name|parameter|field|argument)\b/i,
      /\bunsupported (parameter|task)/i,
      /\bextra inputs are not permitted\b/i,
      /\bencoding_format\b/i,
      /\btask_?type\b/i,
    ],
    kind: "fatal",
  },
  { of: INPUT, where: blamesParameter, kind: "fatal" },
  // LM Studio says so with 200.
  { says: [/\bunexpected endpoint\b/i], kind: "fatal" },
  { of: [401, 403, 404, 405, 407, 410, 411, 415, 421, 426, 501], kind: "fatal" },
  { where: ({ status = 0 }) => status >= 300 && status < 400, kind: "fatal" },

  // Later.
  { of: [429], kind: "rateLimited" },
  { of: [408, 409, 424, 425, 499], kind: "unavailable" },
  { where: ({ status = 0 }) => status >= 500, kind: "unavailable" },

  // What was sent is refused, by the API itself, and nothing tells that it is not the text.
  { of: INPUT, where: ({ statement }) => !statement.isForeign, kind: "rejected" },
  // A firewall, a gateway, or a status that nobody knows: it would refuse the next text as well.
  { where: ({ status = 0 }) => status >= 400, kind: "fatal" },
  // An error that came with 200 and says no more.
  { where: ({ status }) => status === undefined, kind: "unavailable" },
];

/** Names under which providers know the texts. */
const INPUT_NAMES = /^(?:\$|inputs?|texts?|contents?|prompts?|documents?|strings?)$/i;

function isInput(param: string): boolean {
  return param.split(/[.[\]]+/).some((part) => INPUT_NAMES.test(part));
}

/** True where the body names parameters, and none of them holds the texts. */
function blamesParameter({ statement: { params } }: Refusal): boolean {
  return params.length > 0 && !params.some(isInput);
}

/** True where what was sent is refused, and all that the body names is the texts. */
function blamesInput({ status, statement: { params } }: Refusal): boolean {
  const canBlame = status === undefined || INPUT.includes(status);
  return canBlame && params.length > 0 && params.every(isInput);
}

/** What to sort a refusal with. */
export interface SortOptions extends Hidden {
  /** The time now, for a wait that is named as a date. */
  readonly nowMs: number;
  /** The sentence to show where the body has none. */
  readonly fallback?: string | undefined;
}

/** Sorts a reply that is a refusal; undefined where neither its status nor its body says that it is one. */
export function sortRefusal(reply: HttpReply, options: SortOptions): EmbedderError | undefined {
  const statement = readStatement(reply.body);
  const isSuccess = reply.status >= 200 && reply.status < 300;
  // Routers put an error into a reply with 200.
  const status = isSuccess ? statement.status : reply.status;
  if (status === undefined && !holdsError(reply.body)) return undefined;
  const messages = spokenIn(statement, options);
  const words = messages.map(withoutQuotes).join("\n");
  const refusal = { status, words, statement };
  const row = TABLE.find((candidate) => fits(candidate, refusal));
  if (row === undefined) return undefined;
  const details: EmbedderErrorOptions = {
    retryAfterMs: askedWaitMs(reply, { ...statement, messages }, options.nowMs),
    scope: row.scope,
    exceeded: row.exceeded,
  };
  return new EmbedderError(row.kind, refusalMessage(status, statement, options), details);
}

/** A sentence with the status, the provider's code and its own words. */
function refusalMessage(
  status: number | undefined,
  { messages, codes }: Statement,
  { fallback = "", ...hidden }: SortOptions,
): string {
  const code = codes
    // One that echoes a key or a text is no word any more.
    .map((word) => scrub(word, hidden))
    .find((word) => /^[\w.-]{2,60}$/.test(word) && !/^\d+$/.test(word));
  // The openai client makes a page its message, where one came.
  const spoken = messages.length > 0 ? messages.join(": ") : fallback;
  const said = scrub(isPage(spoken) ? "" : spoken, hidden);
  const head = [status === undefined ? "" : `HTTP ${status}`, code ?? ""].filter(Boolean).join(" ");
  if (head === "" || said.startsWith(head)) return said || "The provider refuses without a reason";
  return said === "" ? head : scrub(`${head}: ${said}`);
}

function fits({ of, codes, says, where, kind }: Row, refusal: Refusal): boolean {
  const { status, words, statement } = refusal;
  const hasWords = codes !== undefined || says !== undefined;
  if (of !== undefined && !(status === undefined ? hasWords : of.includes(status))) return false;
  if (kind === "fatal" && blamesInput(refusal)) return false;
  if (where?.(refusal) === false) return false;
  if (!hasWords) return true;
  return (
    (codes?.some((code) => statement.codes.includes(code)) ?? false) ||
    (says?.some((phrase) => phrase.test(words)) ?? false)
  );
}

/** What the provider says itself: what a text says must not decide. */
function spokenIn({ messages }: Statement, { texts = [] }: Hidden): readonly string[] {
  return messages.map((message) => withoutTexts(message, texts, "…", MIN_DECIDING_BYTES));
}

/** What stands in quotes may be a text that is not known here. */
function withoutQuotes(message: string): string {
  return message.slice(0, 2000).replace(/"[^"]*"|`[^`]*`|(?<!\w)'[^']*'(?!\w)/g, "…");
}
