// The files of examples/deploy are what the tools that read them expect, and agree with the program.

import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { duration } from "../../src/cli/options/schemas.ts";
import { SHARED } from "../../src/cli/options/shared.ts";
import { environmentNames } from "../../src/cli/options/spec.ts";
import { ROOT, textOf } from "./examples.ts";
import { run } from "./installed.ts";
import { checkDockerfile, checkIni, checkYaml } from "./syntax.ts";

const FOLDER = "examples/deploy";
const ms = (time: string) => v.parse(duration, time);
const VARIABLES = Object.keys(SHARED).flatMap(environmentNames);

test("the systemd unit has known sections, and gives a stop more time than the worker takes", async () => {
  const unit = await textOf(`${FOLDER}/embedq-worker.service`);
  const sections = checkIni(unit);
  expect([...sections.keys()]).toEqual(["Unit", "Service", "Install"]);
  const service = Object.fromEntries(sections.get("Service") ?? []);
  const [, stopTimeout = ""] = /--stop-timeout (\S+)/.exec(service["ExecStart"] ?? "") ?? [];
  expect(Number(service["TimeoutStopSec"]) * 1000).toBeGreaterThan(ms(stopTimeout));
});

test.skipIf(Bun.which("systemd-analyze") === null)(
  "systemd finds no fault in its unit",
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "embedq-unit-"));
    try {
      // The program is not installed where the unit looks for it.
      const unit = await textOf(`${FOLDER}/embedq-worker.service`);
      const path = join(dir, "embedq-worker.service");
      await writeFile(path, unit.replace("/usr/local/bin/embedq", "/bin/sh"));
      const { output } = await run(dir, "systemd-analyze", "verify", "--man=no", path);
      expect(output.split("\n").filter((line) => line.includes("embedq-worker"))).toEqual([]);
    } finally {
      await rm(dir, { recursive: true });
    }
  },
);

test("the container file starts the program that the package names, by itself", async () => {
  const instructions = checkDockerfile(await textOf(`${FOLDER}/Dockerfile`));
  const { bin } = JSON.parse(await textOf("package.json")) as { bin: { embedq: string } };
  const entry = instructions.find(([name]) => name === "ENTRYPOINT")?.[1] ?? "";
  expect(JSON.parse(entry)).toEqual(["node", join("node_modules/embedq", bin.embedq)]);
});

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Record<string, unknown>;
  readonly spec?: {
    readonly selector: { readonly matchLabels: Record<string, string> };
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: {
          readonly args: string[];
          readonly envFrom: { readonly configMapRef?: { readonly name: string } }[];
        }[];
      };
    };
  };
}

test("the Kubernetes manifest holds together, and sets variables that exist", async () => {
  const manifests = checkYaml(await textOf(`${FOLDER}/kubernetes.yaml`)) as Manifest[];
  expect(manifests.map(({ kind }) => kind)).toEqual(["ConfigMap", "Deployment"]);
  const [settings, deployment] = manifests;
  const data = settings?.data ?? {};
  for (const [name, value] of Object.entries(data)) {
    expect(VARIABLES).toContain(name);
    // Kubernetes takes only strings here.
    expect([name, typeof value]).toEqual([name, "string"]);
  }
  const { selector, template } = deployment?.spec ?? {};
  expect(template?.metadata.labels).toEqual(selector?.matchLabels);
  const pod = template?.spec;
  const graceMs = (pod?.terminationGracePeriodSeconds ?? 0) * 1000;
  expect(graceMs).toBeGreaterThan(ms(String(data["EMBEDQ_STOP_TIMEOUT"])));
  const names = pod?.containers[0]?.envFrom.flatMap(({ configMapRef }) => configMapRef?.name ?? []);
  expect(names).toEqual([settings?.metadata.name ?? ""]);
});

test("no file of examples/ is left out of its table", async () => {
  const table = await textOf("examples/README.md");
  const files = [...new Bun.Glob("**/*").scanSync(join(ROOT, "examples"))];
  expect(files.length).toBeGreaterThan(5);
  for (const file of files.filter((name) => name !== "README.md")) {
    expect(table).toContain(`](${file})`);
  }
});
