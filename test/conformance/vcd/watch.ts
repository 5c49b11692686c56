/** What `ps` would show anybody while something runs. */

import { readFileSync, readdirSync } from "node:fs";

/** Reads every process's command line again and again until `stop`; gives those that held one of the words. */
export function watchCommandLines(words: readonly string[]): { stop(): readonly string[]; looks(): number } {
  const found = new Set<string>();
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    for (const pid of readdirSync("/proc")) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
      let line = "";
      try {
        line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        continue;
      }
      if (words.some((word) => line.includes(word))) found.add(line.replaceAll("\0", " "));
    }
  }, 3);
  return {
    stop: () => {
      clearInterval(timer);
      return [...found];
    },
    looks: () => looks,
  };
}
