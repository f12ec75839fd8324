// Links between pages lead to files and headings that exist, and every guide can be found.

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { pages, ROOT, textOf } from "./examples.ts";

test("every link of a page leads to a file, and to a heading where it names one", async () => {
  const faults: string[] = [];
  for (const page of await pages()) {
    for (const target of linksOf(await textOf(page))) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : normalize(join(dirname(page), path));
      if (!existsSync(join(ROOT, file))) faults.push(`${page}: ${target} does not exist`);
      else if (anchor !== undefined && !anchorsOf(await textOf(file)).includes(anchor)) {
        faults.push(`${page}: ${target} has no such heading`);
      }
    }
  }
  expect(faults).toEqual([]);
});

test("the index of docs/ names every page but the decisions, which it names as a folder", async () => {
  const links = linksOf(await textOf("docs/README.md")).map((link) => join("docs", link));
  const others = (await pages()).filter(
    (page) =>
      page.startsWith("docs/") && !page.startsWith("docs/adr/") && page !== "docs/README.md",
  );
  expect(others.length).toBeGreaterThan(10);
  expect(others.filter((page) => !links.includes(page))).toEqual([]);
});

/** Of pages only, without what stands in code. */
function linksOf(text: string): string[] {
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "").replaceAll(/`[^`\n]*`/g, "code");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** As GitHub makes them: lower case, no punctuation, hyphens for blanks. */
function anchorsOf(text: string): string[] {
  const prose = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
