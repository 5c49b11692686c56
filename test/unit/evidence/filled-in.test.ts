/** The documents in a bundle, read again, give the same bundle: also the origins of what nobody wrote. */

import t from "tap";
import type { File } from "../../../src/core/file.ts";
import { sourced } from "../../../src/core/origin.ts";
import { filledIn, readFilledIn, withFilledIn } from "../../../src/evidence/filled-in.ts";
import type { OriginsDocument } from "../../../src/evidence/origins.ts";
import { composeTexts } from "../../../src/evidence/texts.ts";
import { platforms } from "../../../src/platforms/registry.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { readSpec } from "../../../src/spec/read-spec.ts";
import { assets, caseNames, compose, lockFor, textOf, wellRead } from "../../golden/cases.ts";

const textAt = (files: readonly File[], path: string): string => textOf(files.find((file) => file.path === path));

for (const name of caseNames) {
  t.test(name, (t) => {
    const { files } = compose(name);
    const { documents } = JSON.parse(textAt(files, "evidence/origins.json")) as OriginsDocument;
    const spec = wellRead(readSpec(textAt(files, "evidence/spec.json"), { platforms: platforms.map((platform) => platform.name) }));
    const release = wellRead(readRelease(textAt(files, "evidence/release.json")));
    const lock = lockFor(spec.spec.platform.type, release);
    const again = wellRead(composeTexts({
      spec: { ...spec, sourced: withFilledIn(spec.sourced, readFilledIn(documents.spec) ?? {}) },
      release: { ...release, sourced: withFilledIn(release.sourced, readFilledIn(documents.release) ?? {}) },
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
  const bare = sourced({ a: 1, list: [{ b: "x" }, { b: "y" }], value: "v", origins: ["o"] }, "spec");
  t.strictSame(withFilledIn(bare, { "/list/1/b": ["default:b"] }), document);
  for (const wrong of [undefined, null, 7, [], { "/a": [] }, { "/a": "default:x" }, { "/a": ["nonsense"] }]) t.equal(readFilledIn(wrong), undefined);
  t.strictSame(readFilledIn({ "/a": ["spec:/b", "default:c"] }), { "/a": ["spec:/b", "default:c"] });
  t.end();
});
