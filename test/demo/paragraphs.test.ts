// Proves what of a Markdown file counts as prose.

import { expect, test } from "bun:test";
import { paragraphsOf, plainParagraphsOf } from "../../src/cli/demo/paragraphs.ts";

const PROSE =
  "A queue that many processes share must lose nothing, whatever dies in the middle of its work.";

test("paragraphsOf takes paragraphs and list items, as plain text", () => {
  const markdown = `# Title\n\n${PROSE.replace("queue", "[queue](https://example.com)")}\n
- ${PROSE.replace("lose nothing", "**lose\n  nothing**")} First.
- ${PROSE} Second.\n\n> ${PROSE} Quoted.\n`;
  expect(paragraphsOf(markdown)).toEqual([
    PROSE,
    `${PROSE} First.`,
    `${PROSE} Second.`,
    `${PROSE} Quoted.`,
  ]);
});

test("paragraphsOf leaves out code, tables, badges, HTML, front matter and what is short", () => {
  const markdown = `---\ntitle: ${PROSE}\n---\n
\`\`\`ts\n${PROSE}\n\n${PROSE}\n\`\`\`\n
| ${PROSE} |\n| --- |\n
[![${PROSE}](a.svg)](https://example.com)\n
<div>${PROSE}</div>\n
    ${PROSE}\n
<!-- ${PROSE}\n\n${PROSE} -->\n
Too short.\n
import { something } from "${PROSE}";\n
\`\`\`\n${PROSE} (a fence that nobody closes)\n`;
  expect(paragraphsOf(markdown)).toEqual([]);
});

test("plainParagraphsOf splits at blank lines only", () => {
  expect(plainParagraphsOf("One\nline.\n \n# Two.\r\n\r\n---\n\nThree.")).toEqual([
    "One line.",
    "# Two.",
    "Three.",
  ]);
});
