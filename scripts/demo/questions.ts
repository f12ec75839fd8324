// What is asked at the end: the caller's questions, ours for our own corpus, or some from the texts.

import type { Passage } from "./corpus.ts";

/** Answered well by a lexical embedder, by the small corpus as by the large one. */
const USUAL = [
  "How do I spawn a child process?",
  "How do I cache values in memory?",
  "How do I convert a Buffer to a string?",
  "How do I compare two semantic versions?",
];
const COUNT = 3;
const MAX_WORDS = 14;

export function chooseQuestions(
  asked: readonly string[],
  passages: readonly Passage[],
  isUsualCorpus: boolean,
): readonly string[] {
  if (asked.length > 0) return asked;
  return isUsualCorpus ? USUAL : questionsIn(passages.map(({ text }) => text));
}

/** Questions that the texts themselves ask, else their first words, from all over the texts. */
function questionsIn(texts: readonly string[]): string[] {
  const questions = texts.flatMap(
    (text) => text.match(/(?<=^|[.!?] )\p{Lu}[^.!?]{15,90}\?/gu) ?? [],
  );
  const found = [...new Set(questions.length >= COUNT ? questions : texts.map(firstWords))];
  const count = Math.min(COUNT, found.length);
  return Array.from(
    { length: count },
    (_, i) => found[Math.floor((i * found.length) / count)] ?? "",
  );
}

function firstWords(text: string): string {
  const [sentence = text] = text.split(/(?<=[.!?]) /);
  return sentence.split(" ").slice(0, MAX_WORDS).join(" ");
}
