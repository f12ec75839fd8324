// The table of events is complete: each event that exists, with the fields of its payload.

import { expect, test } from "bun:test";
import ts from "typescript";
import { textOf } from "./examples.ts";

test("the guide names exactly the events that exist, each with its payload", async () => {
  const declared = await declaredEvents();
  expect(Object.keys(declared).length).toBeGreaterThan(20);
  const page = await textOf("docs/guides/events.md");
  const rows = [...page.matchAll(/^\| `([a-z]+:[a-z]+)` \| (.+?) \| (.+) \|$/gm)];
  const shown = Object.fromEntries(
    rows.map(([, event = "", payload = ""]) => [
      event,
      [...payload.matchAll(/`(\w+)`/g)].map(([, name]) => name).sort(),
    ]),
  );
  expect(shown).toEqual(declared);
  expect(rows.map(([, event]) => event)).toEqual([...new Set(rows.map(([, event]) => event))]);
});

/** Each event with the names of its payload's fields, as src/model/events.ts declares them. */
async function declaredEvents(): Promise<Record<string, string[]>> {
  const source = await textOf("src/model/events.ts");
  const file = ts.createSourceFile("events.ts", source, ts.ScriptTarget.ESNext);
  const interfaces = new Map<string, ts.InterfaceDeclaration>();
  for (const statement of file.statements) {
    if (ts.isInterfaceDeclaration(statement)) interfaces.set(statement.name.text, statement);
  }
  const namesOf = (members: readonly ts.TypeElement[]) =>
    members.flatMap(({ name }) => (name && "text" in name ? [name.text] : [])).sort();
  const payloads: Record<string, string[]> = {};
  for (const member of interfaces.get("EmbedqEvents")?.members ?? []) {
    if (!ts.isPropertySignature(member) || !ts.isStringLiteral(member.name)) continue;
    const { type } = member;
    if (type === undefined) continue;
    if (ts.isTypeLiteralNode(type)) payloads[member.name.text] = namesOf([...type.members]);
    else if (ts.isTypeReferenceNode(type) && ts.isIdentifier(type.typeName)) {
      payloads[member.name.text] = namesOf([
        ...(interfaces.get(type.typeName.text)?.members ?? []),
      ]);
    }
  }
  return payloads;
}
