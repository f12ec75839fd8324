// What is asked at the end: the caller's questions, ours for our own corpus, or some from the texts.

import type { Corpus, CorpusKind } from "./corpus.ts";

/** Answered well by a lexical embedder, by a small corpus as by a large one. */
const USUAL: Partial<Record<CorpusKind, readonly string[]>> = {
  repository: [
    "How do I spawn a child process?",
    "How do I cache values in memory?",
    "How do I convert a Buffer to a string?",
    "How do I compare two semantic versions?",
  ],
  package: [
    "After how many failed attempts is a text given up?",
    "Does an older vector overwrite a newer one?",
    "Which texts are embedded again after a crash?",
  ],
};
const COUNT = 3;
const MAX_WORDS = 14;

export function chooseQuestions(asked: readonly string[], corpus: Corpus): readonly string[] {
  if (asked.length > 0) return asked;
  return USUAL[corpus.kind] ?? questionsIn(corpus.passages.map(({ text }) => text));
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
