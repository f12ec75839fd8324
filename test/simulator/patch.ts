// Changes the text of production scripts on their way to Redis: the mutants, and the crash bound
// that is off outside killer mode.

import { scriptSha } from "../../src/model/digest.ts";
import type { Link } from "../../src/redis/link.ts";
import type { Script } from "../../src/redis/scripts/script.ts";

export interface Patch {
  /** Name of the script. */
  readonly script: string;
  /** Text that occurs in it exactly once. */
  readonly from: string;
  readonly to: string;
}

/** The same link, with other scripts. */
export function patchLink(link: Link, patches: readonly Patch[]): Link {
  if (patches.length === 0) return link;
  const patched = new Map<string, Script>();
  const patch = (script: Script): Script => {
    let changed = patched.get(script.name);
    if (changed === undefined) {
      changed = patchScript(
        script,
        patches.filter((each) => each.script === script.name),
      );
      patched.set(script.name, changed);
    }
    return changed;
  };
  return {
    keys: link.keys,
    run: (script, args, options) => link.run(patch(script), args, options),
    runOn: (script, keys, args, options) => link.runOn(patch(script), keys, args, options),
    send: (args, options) => link.send(args, options),
  };
}

function patchScript(script: Script, patches: readonly Patch[]): Script {
  if (patches.length === 0) return script;
  let { source } = script;
  for (const { from, to } of patches) {
    const found = source.split(from).length - 1;
    if (found !== 1) {
      throw new Error(
        `Cannot patch the ${script.name} script as "${from}" must occur once: it occurs ${found} times`,
      );
    }
    source = source.replace(from, () => to);
  }
  return { name: script.name, source, sha: scriptSha(source) };
}
