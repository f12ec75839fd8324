// Runs a command to its end and hears all of it.

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether another exit code than 0 is an answer too. @default false */
  readonly mayFail?: boolean;
}

/** @throws {Error} Where it fails, with all that it said. */
export async function run(
  command: readonly string[],
  { cwd, env, mayFail = false }: RunOptions = {},
): Promise<Result> {
  const child = Bun.spawn([...command], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, REDIS_URL: "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0 && !mayFail) {
    throw new Error(`${command.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
  }
  return { code, stdout, stderr };
}
