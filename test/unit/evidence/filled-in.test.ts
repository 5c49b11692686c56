/** The documents in a bundle, read again, give the same bundle by themselves: also the origins of what nobody wrote. */

import t from "tap";
import type { File } from "../../../src/core/file.ts";
import { sourced } from "../../../src/core/origin.ts";
import { filledIn } from "../../../src/evidence/filled-in.ts";
import { composeTexts } from "../../../src/evidence/texts.ts";
import { platforms } from "../../../src/platforms/registry.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { readSpec } from "../../../src/spec/read-spec.ts";
import { assets, caseNames, compose, lockFor, textOf, wellRead } from "../../golden/cases.ts";

const textAt = (files: readonly File[], path: string): string => textOf(files.find((file) => file.path === path));

for (const name of caseNames) {
  t.test(name, (t) => {
    const { files } = compose(name);
    const spec = wellRead(readSpec(textAt(files, "evidence/spec.json"), { platforms: platforms.map((platform) => platform.name) }));
    const release = wellRead(readRelease(textAt(files, "evidence/release.json")));
    const lock = lockFor(spec.spec.platform.type, release);
    const again = wellRead(composeTexts({
      spec,
      release,
      lock: { lock, sourced: sourced(lock, "lock") },
    }, assets)).files;
    t.strictSame(again.map((file) => file.path), files.map((file) => file.path));
    for (const file of files) t.equal(textAt(again, file.path), textOf(file), file.path);
    t.end();
  });
}

t.test("what is written in a document is not told, what is filled in is", (t) => {
  const document = sourced({ a: 1, list: [{ b: "x" }, { b: "y" }], value: "v", origins: ["o"] }, "spec", new Map([["/list/1/b", "default:b" as const]]));
  t.strictSame(filledIn(document, "spec"), { "/list/1/b": ["default:b"] });
  t.end();
});
