// embedq complete: what the shell offers at the tab key. The scripts and the protocol are those of tab;
// what it lacks is added here: files where there is nothing else to offer, and bash as it comes,
// without the package bash-completion.

import process from "node:process";
import { type Command as Completions, RootCommand } from "@bomb.sh/tab";
import { Argument, type Command, InvalidArgumentError } from "commander";
import { SpecOption } from "./command.ts";

const SHELLS = ["bash", "zsh", "fish", "powershell"];
const NAME = "embedq";

/** Where bash has no bash-completion. */
const BASH_WORDS = `if declare -F _get_comp_words_by_ref >/dev/null; then
    CALL
else
    cur=\${COMP_WORDS[COMP_CWORD]} words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD
fi`;

const HELP = `
Examples:
  # bash: in ~/.bashrc
  source <(embedq complete bash)

  # zsh: in ~/.zshrc, after compinit
  source <(embedq complete zsh)

  # fish
  embedq complete fish > ~/.config/fish/completions/embedq.fish`;

/** Adds the command; it looks at the others when it is called. */
export function addCompletion(program: Command): void {
  program
    .command("complete")
    .summary("print completions for your shell")
    .description("Prints a script that lets the shell complete commands, options and their values.")
    .addArgument(new Argument("<shell>", SHELLS.join(", ")).argParser(shellOf))
    // What the script asks at each press of the key: `embedq complete -- dead re`.
    .allowExcessArguments()
    .addHelpText("after", HELP)
    .action((_shell: string, _options: unknown, { args }: Command) => {
      const text = asksForCompletions() ? offered(program, args) : scriptFor(args[0] ?? "");
      process.stdout.write(text);
    });
}

function shellOf(word: string): string {
  if (SHELLS.includes(word) || asksForCompletions()) return word;
  throw new InvalidArgumentError(`It must be one of ${SHELLS.join(", ")}.`);
}

function asksForCompletions(): boolean {
  const { argv } = process;
  return argv[argv.indexOf("complete") + 1] === "--";
}

function offered(program: Command, words: readonly string[]): string {
  const root = new RootCommand();
  describe(root, program);
  addCommands(root, program, []);
  const lines = printedBy(() => root.parse([...words]));
  // Its own lines, then a line that says whether the shell may offer files.
  const isBare = lines.length === 1 && !(words.at(-1) ?? "").startsWith("-");
  return `${(isBare ? [":0"] : lines).join("\n")}\n`;
}

function addCommands(root: RootCommand, parent: Command, path: readonly string[]): void {
  for (const command of parent.createHelp().visibleCommands(parent)) {
    const here = [...path, command.name()];
    describe(root.command(here.join(" "), command.summary() || command.description()), command);
    addCommands(root, command, here);
  }
}

function describe(completions: Completions, command: Command): void {
  for (const option of command.createHelp().visibleOptions(command)) {
    const name = option.long?.replace(/^--/, "");
    if (name === undefined) continue;
    const alias = option.short?.slice(1);
    const words = option instanceof SpecOption ? option.words : [];
    const offer = (say: (word: string, about: string) => void) => {
      for (const word of words) say(word, "");
    };
    if (option.required || option.optional) {
      completions.option(name, option.description, offer, alias);
    } else if (alias === undefined) completions.option(name, option.description);
    else completions.option(name, option.description, alias);
  }
  if (command.name() === "complete") {
    completions.argument("shell", (say) => {
      for (const shell of SHELLS) say(shell, "");
    });
  }
}

function scriptFor(shell: string): string {
  const script = printedBy(() => new RootCommand().setup(NAME, NAME, shell)).join("\n");
  if (shell !== "bash") return `${script}\n`;
  return `${script
    .replace(/^readonly /gm, "")
    .replace(/^( *)(_get_comp_words_by_ref .*)$/m, (_, indent: string, call: string) =>
      BASH_WORDS.replace("CALL", call).replace(/^/gm, indent),
    )
    .replace(/^complete -F /m, "complete -o default -F ")}\n`;
}

/** tab prints by console.log. */
function printedBy(run: () => void): string[] {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    run();
  } finally {
    console.log = log;
  }
  return lines;
}
