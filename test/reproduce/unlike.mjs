/** Loaded before a command (node --import): another clock, and folders that list their entries the other way round. */

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const real = Date;
const shift = real.UTC(1970, 0, 1, 0, 0, 7) - real.now();
globalThis.Date = class extends real {
  constructor(...words) {
    super(...(words.length === 0 ? [real.now() + shift] : words));
  }
  static now() {
    return real.now() + shift;
  }
};

const readdirSync = fs.readdirSync;
const readdir = fs.promises.readdir;
fs.readdirSync = (...words) => readdirSync(...words).reverse();
fs.promises.readdir = async (...words) => (await readdir(...words)).reverse();
syncBuiltinESMExports();
