// Breaks the core line by line and expects the named test, and the rule it stands for, to notice.

import { expectAllCaught } from "./caught.ts";
import { ENTRIES } from "./core/entries.ts";
import { FAULTS } from "./core/faults.ts";
import { FENCE } from "./core/fence.ts";
import { HANDS } from "./core/hands.ts";
import { ORDER } from "./core/order.ts";
import { READ } from "./core/read.ts";
import { SAVINGS } from "./core/savings.ts";
import { TAKEOVERS } from "./core/takeover.ts";
import { TIME } from "./core/time.ts";
import { WAITS } from "./core/waits.ts";

expectAllCaught([
  ...FENCE,
  ...ORDER,
  ...ENTRIES,
  ...HANDS,
  ...TIME,
  ...WAITS,
  ...READ,
  ...SAVINGS,
  ...FAULTS,
  ...TAKEOVERS,
]);
