#!/usr/bin/env node
// The command. In words that every Node understands, so that an old one says what is missing instead of a syntax error.
var wanted = 24;
var found = parseInt(process.versions.node, 10);
if (found < wanted) {
  process.stderr.write("cloudlet-bundle: needs Node " + wanted + " or newer, this is " + process.version + "\n" +
    "  in a checkout, `npm run cli -- ...` uses the Node that the repository brings\n");
  process.exit(3);
} else {
  import("../dist/cli.js");
}
