// Makes a checkout ready: installs the npm dependencies if any is missing and, with --redis, a
// redis-server if none is on PATH. Plain Node, because nothing else is there yet.

import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

// Debian's package starts a Redis on port 6379 and again at every boot; tests start their own, so
// that one is kept from starting. A policy of the machine's own is left alone.
const INSTALL_REDIS = `
set -e
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM
  printf '#!/bin/sh\\nexit 101\\n' >"$policy"
  chmod 755 "$policy"
fi
apt-get -o DPkg::Lock::Timeout=120 update -qq
apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends redis-server
if [ -d /run/systemd/system ]; then systemctl disable --now redis-server; fi
`;

/** What the recipes of the guides call beside embedq. Without them, the tests of these pages are skipped. */
const INSTALL_TOOLS = `
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=120 update -qq
apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends jq python3-numpy
`;

const REDIS_HINT =
  "The tests need redis-server on PATH. Debian: sudo apt-get install redis-server. " +
  "macOS: brew install redis. With Docker: run the tests in an image that has Node and redis-server.";

/**
 * Installs the npm dependencies if the lockfile asks for one that is not there.
 *
 * @returns {boolean} Whether they are there now.
 */
export function setUpPackages() {
  if (packagesAreThere()) return true;
  console.error("Installing the development packages, once; this takes about a minute …");
  // Never npm ci: it refuses a lockfile that lacks some foreign platform's optional packages.
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--include=dev"];
  return succeeds("npm", args) && packagesAreThere();
}

/**
 * Installs redis-server if none is on PATH and apt-get may be used.
 *
 * @returns {boolean} Whether one is on PATH now.
 */
export function setUpRedis() {
  if (isOnPath("redis-server")) return true;
  if (runsAsRoot(INSTALL_REDIS) && isOnPath("redis-server")) return true;
  console.error(REDIS_HINT);
  return false;
}

/** Installs jq and numpy if one is missing and apt-get may be used; only recipes of the guides need them. */
export function setUpTools() {
  const hasNumpy = () => succeeds("python3", ["-c", "import numpy"], "ignore");
  if (isOnPath("jq") && hasNumpy()) return;
  if (!runsAsRoot(INSTALL_TOOLS)) console.error("Without jq and numpy some recipes are not run.");
}

/** Runs a shell script as root, where there is apt-get and we may be root. */
function runsAsRoot(script) {
  const asRoot = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  if (!isOnPath("apt-get")) return false;
  if (asRoot.length > 0 && !succeeds("sudo", ["-n", "true"], "ignore")) return false;
  const [command, ...args] = [...asRoot, "sh", "-c", script];
  return succeeds(command, args);
}

/** Compares the lockfile with npm's own record of what it installed. */
function packagesAreThere() {
  const installed = read("node_modules/.package-lock.json");
  return Object.entries(read("package-lock.json")).every(
    ([path, wanted]) =>
      path === "" || wanted.optional || installed[path]?.version === wanted.version,
  );
}

function read(lockfile) {
  try {
    return JSON.parse(readFileSync(join(ROOT, lockfile), "utf8")).packages;
  } catch {
    return {};
  }
}

function isOnPath(program) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs a command with its output on our standard error, so that standard output stays ours. */
function succeeds(command, args, output = process.stderr.fd) {
  const stdio = ["ignore", output, output];
  return spawnSync(command, args, { cwd: ROOT, stdio }).status === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const ready = setUpPackages() && (!process.argv.includes("--redis") || setUpRedis());
  process.exitCode = ready ? 0 : 1;
}
