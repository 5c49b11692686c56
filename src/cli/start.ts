/** The process: runs the command line once. */

import { main } from "./main.ts";
import { processIo } from "./io.ts";

// Not process.exit(): what is still on its way to a pipe would be lost.
process.exitCode = await main(process.argv.slice(2), processIo());
