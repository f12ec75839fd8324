// The command that goes on where this one ended, to be copied.

import process from "node:process";
import { oneLine } from "./format.ts";

/** What is different the next time. */
export interface AgainChanges {
  /** Flags with their values, in the place of earlier ones. */
  readonly flags: Readonly<Record<`--${string}`, string>>;
  /** Arguments that are left out, in the order in which they stand. */
  readonly withoutWords?: readonly string[];
}

/** The words of this call, with these changes. Passwords are left out. */
export function commandAgain({ flags, withoutWords = [] }: AgainChanges): string {
  const words = process.argv.slice(2);
  for (const word of withoutWords.toReversed()) {
    const at = words.lastIndexOf(word);
    if (at >= 0) words.splice(at, 1);
  }
  for (const flag of Object.keys(flags)) drop(words, flag);
  const added = Object.entries(flags).flat();
  return ["embedq", ...words.map(withoutPasswords), ...added].map(quoted).join(" ");
}

function drop(words: string[], flag: string): void {
  const at = words.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (at >= 0) words.splice(at, words[at] === flag ? 2 : 1);
}

/** The text, with … in the place of the passwords of URLs. A password may hold an @ itself. */
export function withoutPasswords(text: string): string {
  return text.replaceAll(/(\w:\/\/[^\s:@/?#]*):[^\s/?#]*@/g, "$1:…@");
}

/** As a shell reads it. */
function quoted(word: string): string {
  const clean = oneLine(word);
  return /^[\w@%+=:,./-]+$/.test(clean) ? clean : `'${clean.replaceAll("'", "'\\''")}'`;
}
