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

t.test("what is done at the same time shares a line; who has lost an old one does not close the new one", async (t) => {
  const closed: number[] = [];
  let made = 0;
  const { made: lines } = lasting(async () => {
    made += 1;
    const number = made;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { exec: () => Promise.reject(new LineCut("no")), close: () => void closed.push(number) };
  });
  const seen: Line[] = [];
  let late: () => void = () => undefined;
  const first = lines.use(async (each) => {
    seen.push(each);
    if (seen.length <= 2) throw new LineCut("cut");
  });
  let isCut = false;
  const second = lines.use(async (each) => {
    seen.push(each);
    if (isCut) return;
    isCut = true;
    await new Promise<void>((resolve) => (late = resolve));
    throw new LineCut("noticed late");
  });
  await first;
  t.equal(made, 2, "one for both, and one more after the cut");
  t.equal(seen[0], seen[1]);
  late();
  await second;
  t.equal(made, 2, "the new one is there for the other, too");
  t.notOk(closed.includes(2));
});
