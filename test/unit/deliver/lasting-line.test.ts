/** A line that is cut is made again, as long as that brings something. */

import t from "tap";
import { EnvironmentError } from "../../../src/core/environment-error.ts";
import { lastingLine, pauseAfter, usualPatience } from "../../../src/deliver/lasting-line.ts";
import { LineCut, type Line } from "../../../src/deliver/line.ts";

const line: Line = { exec: () => Promise.reject(new LineCut("no")), close: () => undefined };

function lasting(open: () => Promise<Line>, tries = 4) {
  const pauses: number[] = [];
  const stop = new AbortController();
  const made = lastingLine(open, {
    patience: { tries, pauseMs: 10, longestPauseMs: 35 },
    sleep: (ms) => Promise.resolve(void pauses.push(ms)),
    cut: () => undefined,
    up: () => undefined,
    signal: stop.signal,
  });
  return { made, pauses, stop };
}

t.test("pauses double up to the longest, and start again after something has come", async (t) => {
  const { made, pauses } = lasting(() => Promise.resolve(line));
  let calls = 0;
  const result = await made.use((_line, fruitful) => {
    calls += 1;
    if (calls === 4) fruitful();
    return calls < 8 ? Promise.reject(new LineCut("cut")) : Promise.resolve("done");
  });
  t.equal(result, "done");
  t.strictSame(pauses, [10, 20, 35, 10, 20, 35, 35]);
  t.equal(pauseAfter(1_000_000, usualPatience), usualPatience.longestPauseMs);
});

t.test("it is given up after so many tries that brought nothing, and at once where nobody ever was", async (t) => {
  const { made, pauses } = lasting(() => Promise.resolve(line));
  await t.rejects(made.use(() => Promise.reject(new LineCut("cut"))), { name: "EnvironmentError", message: /cut; given up after 4 tries/ });
  t.equal(pauses.length, 4);
  const never = lasting(() => Promise.reject(new LineCut("nothing listens", { neverThere: true })));
  await t.rejects(never.made.use(() => Promise.resolve()), { name: "EnvironmentError", message: "nothing listens" });
  t.strictSame(never.pauses, []);
});

t.test("what is no cut is thrown, and a stop ends it", async (t) => {
  const { made } = lasting(() => Promise.resolve(line));
  await t.rejects(made.use(() => Promise.reject(new EnvironmentError("refused"))), { message: "refused" });
  const stopped = lasting(() => Promise.resolve(line));
  await t.rejects(
    stopped.made.use(() => {
      stopped.stop.abort(new Error("stopped by SIGINT"));
      return Promise.reject(new LineCut("cut"));
    }),
    { message: "stopped by SIGINT" },
  );
});
