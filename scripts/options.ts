// The table of options in README.md, made from the doc comments of the interfaces, so that the two
// cannot differ. `bun scripts/options.ts` writes it, `--check` only compares.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const ROOT = join(import.meta.dirname, "..");
const README = join(ROOT, "README.md");
/** In the order of the table: which interface of which file. */
const INTERFACES = [
  ["src/model/options.ts", "ModelOptions"],
  ["src/model/options.ts", "CommonOptions"],
  ["src/model/settings.ts", "QueueSettings"],
  ["src/model/options.ts", "ProducerOptions"],
  ["src/model/options.ts", "ConsumerOptions"],
] as const;
const BEGIN = "<!-- options: made by scripts/options.ts -->";
const END = "<!-- options end -->";

const rows = INTERFACES.flatMap(([file, name]) => rowsOf(file, name));
const table = ["| option | default | |", "| --- | --- | --- |", ...rows].join("\n");
const readme = readFileSync(README, "utf8");
const [before, after] = [readme.indexOf(BEGIN), readme.indexOf(END)];
if (before < 0 || after < before) throw new Error(`README.md must hold ${BEGIN} and ${END}`);
const wanted = `${readme.slice(0, before)}${BEGIN}\n${table}\n${readme.slice(after)}`;

if (!process.argv.includes("--check")) {
  writeFileSync(README, wanted);
} else if (readme !== wanted) {
  console.error("The options in README.md differ from the sources: bun scripts/options.ts");
  process.exit(1);
}
console.log(`${rows.length} options`);

function rowsOf(file: string, name: string): string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(ROOT, file), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  const found = source.statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === name,
  );
  if (found === undefined) throw new Error(`${file} has no interface ${name}`);
  return found.members.filter(ts.isPropertySignature).map((member) => {
    const option = member.name.getText(source);
    const [comment] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
    const meaning = ts.getTextOfJSDocComment(comment?.comment);
    if (meaning === undefined) throw new Error(`${name}.${option} has no doc comment`);
    const tag = comment?.tags?.find(({ tagName }) => tagName.text === "default");
    const fallback = ts.getTextOfJSDocComment(tag?.comment) ?? "none";
    return `| \`${option}\` | ${asDefault(fallback)} | ${inCell(meaning)} |`;
  });
}

/** Values as code, words as they are. */
function asDefault(fallback: string): string {
  const isValue = /^("[^"]*"|[\d.]+|true|false)$/.test(fallback);
  return isValue ? `\`${fallback}\`` : inCell(fallback);
}

function inCell(text: string): string {
  return text
    .replaceAll(/\{@link (\w+)\}/g, "`$1`")
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|")
    .trim();
}
