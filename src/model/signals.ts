// Signals of embedq's own, to which as many calls listen as are under way.

import { setMaxListeners } from "node:events";

/**
 * A controller whose signal any number may listen to. From the eleventh on Node would warn of a leak,
 * on the standard error of a process that is not ours.
 */
export function ownController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
