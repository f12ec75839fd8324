// What the process ends with. Scripts branch on these: they stay as they are.

export const EXIT = {
  done: 0,
  /** What was asked for did not come about. */
  failed: 1,
  /** Called wrongly: flags, options, the config file. */
  usage: 2,
  /** Redis cannot be reached; the same call may succeed later. */
  unavailable: 3,
  /** Done for a part: lines were skipped, or texts were given up. */
  partly: 4,
} as const;

/** As shells count it: 128 and the signal's number. */
export const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
