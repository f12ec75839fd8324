// Breaks the core line by line and expects the named test, and the rule it stands for, to notice.

import { expectAllCaught } from "./caught.ts";
import { MUTANTS } from "./mutants.ts";

expectAllCaught(MUTANTS);
