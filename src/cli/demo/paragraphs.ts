// Markdown or the comments of types in, paragraphs or sentences out: prose only, as plain text.

/** Shorter ones say too little to be found, longer ones too much to be shown. */
const MIN_LENGTH = 80;
const MAX_LENGTH = 1000;
const MIN_WORDS = 12;
/** The same for a sentence. */
const MIN_SENTENCE = 50;
const MIN_SENTENCE_WORDS = 8;
/** Letters and spaces among all characters; below this it is a list of numbers, versions or links. */
const MIN_PROSE = 0.85;

const LIST_ITEM = /^\s*(?:[-*+]|\d+[.)])\s+/;
/** Headings, tables, HTML and JSX, badges and images, rules, link definitions, imports, indented code. */
const NOT_PROSE =
  /^(?:#|\||<|!\[|\[!\[|-{3,}|={3,}|\*{3,}|\[[^\]]+\]:|(?:import|export)\s|:{3}| {4}|\t)/;

/** The paragraphs and list items of a Markdown file: those that read as prose, or with `whole` all. */
export function paragraphsOf(markdown: string, whole = false): string[] {
  return markdown
    .replaceAll("\r\n", "\n")
    .replace(/^---\n[\s\S]*?\n---\n/, "")
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/^[ \t>]*(`{3,}|~{3,})[\s\S]*?(?:^[ \t>]*\1[ \t]*$|(?![\s\S]))/gm, "\n\n")
    .split(/\n[ \t]*\n/)
    .flatMap(itemsOf)
    .filter((block) => !NOT_PROSE.test(block))
    .map(plainTextOf)
    .filter(whole ? hasLetter : isProse);
}

/** The paragraphs of a text that is not Markdown. */
export function plainParagraphsOf(text: string): string[] {
  return text
    .split(/\r?\n[ \t]*\r?\n/)
    .map((block) => block.replace(/\s+/g, " ").trim())
    .filter(hasLetter);
}

/** The paragraphs of doc comments in a file of TypeScript, without what stands behind tags. */
export function commentsOf(source: string): string[] {
  return [...source.matchAll(/\/\*\*([\s\S]*?)\*\//g)]
    .flatMap(([, comment = ""]) =>
      comment
        .replace(/^\s*\* ?/gm, "")
        .replace(/^@[\s\S]*/m, "")
        .split(/\n\s*\n/),
    )
    .map((block) => plainTextOf(block.replace(/\{@link ([^}]*)\}/g, "$1")))
    .filter(hasLetter);
}

/** The sentences of a paragraph that say enough by themselves. */
export function sentencesOf(paragraph: string): string[] {
  return paragraph
    .split(/(?<=[.!?:])\s+(?=[\p{Lu}`"(])/u)
    .filter(
      (sentence) =>
        sentence.length >= MIN_SENTENCE && sentence.split(" ").length >= MIN_SENTENCE_WORDS,
    );
}

function hasLetter(text: string): boolean {
  return /\p{L}/u.test(text);
}

/** A list counts as one block for each item, anything else as one. */
function itemsOf(block: string): string[] {
  const text = block.replace(/^\n+/, "").replace(/^[ \t]*>[ \t]?/gm, "");
  if (!LIST_ITEM.test(text)) return [text];
  return text.split(/\n(?=\s*(?:[-*+]|\d+[.)])\s)/).map((item) => item.replace(LIST_ITEM, ""));
}

function plainTextOf(block: string): string {
  return block
    .replace(/\s+/g, " ")
    .replace(/!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])/g, "")
    .replace(/\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1")
    .replace(/<\/?[a-z][^>]*>/gi, "")
    .replace(/(\*\*|__)(?=\S)(.+?)\1/g, "$2")
    .replace(/\\([*_[\]<>#`])/g, "$1")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&amp;/g, "&")
    .trim();
}

function isProse(text: string): boolean {
  if (text.length < MIN_LENGTH || text.length > MAX_LENGTH) return false;
  if (text.split(" ").length < MIN_WORDS) return false;
  return (text.match(/[\p{L}\s]/gu)?.length ?? 0) / text.length >= MIN_PROSE;
}
