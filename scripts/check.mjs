// The gate, `npm run check`: what is quick enough to run before every commit. Stops at the first failure.

import { setUpPackages } from "./setup.mjs";
import { runSteps, STATIC_STEPS } from "./steps.mjs";

const QUICK_TESTS = ["quick tests", "bun test --timeout=60000 test/unit"];

if (!setUpPackages()) {
  console.error("Failed: setup");
  process.exit(1);
}
const failed = await runSteps([...STATIC_STEPS, QUICK_TESTS]);
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(", ")}`);
  process.exit(1);
}
