/** The process: runs the command line once. */

import { setFlagsFromString } from "node:v8";
import { main } from "./main.ts";
import { processIo } from "./io.ts";

// V8 13.6 lets the space for new objects grow to 64 MiB, most of it garbage, and shares its collection among threads, of which each
// takes pages of its own. As small as it begins, and on one thread, it is as quick, and 60 MiB less. All others are collected
// when there are half as many again, not three times as many: 10 MiB less, for a twentieth of the time. Another V8 would say of a
// flag that it has no more that it doesn't know it.
if (process.versions.v8.startsWith("13.")) for (const flag of ["--semi-space-growth-factor=1", "--no-parallel-scavenge", "--heap-growing-percent=50"]) setFlagsFromString(flag);

// Not process.exit(): what is still on its way to a pipe would be lost.
process.exitCode = await main(process.argv.slice(2), processIo());
