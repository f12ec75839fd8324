// Checks of the syntax of files for tools that are not on every machine.

import { expect } from "bun:test";

/** YAML documents, as Bun's parser reads them. */
export function checkYaml(code: string): unknown[] {
  const documents = code.split(/^---$/m).filter((part) => part.trim() !== "");
  return documents.map((document) => Bun.YAML.parse(document));
}

/** Sections with `Name=value` lines; comments on lines of their own. */
export function checkIni(code: string): Map<string, [name: string, value: string][]> {
  const sections = new Map<string, [string, string][]>();
  let section: [string, string][] | undefined;
  for (const line of code.split("\n")) {
    if (line.trim() === "" || /^[#;]/.test(line)) continue;
    const [, title] = /^\[(\w+)\]$/.exec(line) ?? [];
    if (title !== undefined) {
      section = [];
      sections.set(title, section);
      continue;
    }
    const [, name = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    expect({ line, name, isInSection: section !== undefined }).toEqual({
      line,
      name: expect.stringMatching(/^\w+$/),
      isInSection: true,
    });
    section?.push([name, value]);
  }
  return sections;
}

const INSTRUCTIONS =
  "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR";

/** One instruction after another, the first of them FROM; lists of words are JSON. */
export function checkDockerfile(code: string): (readonly [instruction: string, rest: string])[] {
  const logical = code.replaceAll(/^\s*#.*\n/gm, "").replaceAll(/\\\n\s*/g, " ");
  const lines = logical.split("\n").filter((line) => line.trim() !== "");
  const instructions = lines.map((line) => {
    const [, name = "", rest = ""] = /^(\S+)\s+(.+)$/.exec(line) ?? [];
    expect(INSTRUCTIONS.split(" ")).toContain(name);
    if (rest.startsWith("[")) expect(() => JSON.parse(rest) as unknown).not.toThrow();
    return [name, rest] as const;
  });
  expect(instructions[0]?.[0]).toMatch(/^(FROM|ARG)$/);
  return instructions;
}
