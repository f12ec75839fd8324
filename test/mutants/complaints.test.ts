// Takes away, one by one, what answers the complaints of users, and expects the test of that complaint to notice.

import { expectAllCaught } from "./caught.ts";
import { BATCHES, OUTAGES, RATES } from "./complaints/calls.ts";
import { QUEUE } from "./complaints/queue.ts";
import { VECTORS } from "./complaints/vectors.ts";

expectAllCaught([...BATCHES, ...RATES, ...OUTAGES, ...VECTORS, ...QUEUE]);
