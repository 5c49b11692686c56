/** Paths as a tree: nothing lost, nothing twice, in the order of the bundle; and texts that show what a browser would hide. */

import t from "tap";
import { visible } from "../../../console/bundle-browser/explanation.ts";
import { treeOf, type Branch, type BundleFile } from "../../../console/bundle-browser/tree.ts";

const file = (path: string): BundleFile => ({ path, mode: "0644", role: "site", size: 1, sha256: "0".repeat(64) });

function leaves(tree: readonly Branch[]): readonly string[] {
  return tree.flatMap((branch) => (branch.file === undefined ? leaves(branch.branches) : [branch.path]));
}

t.test("a tree of folders", (t) => {
  const paths = ["README.md", "site/a", "site/deep/b", "site/deep/c", "install.sh", "site/d", "__proto__/x", "constructor"];
  const tree = treeOf(paths.map(file));
  t.strictSame(tree.map(({ path }) => path), ["README.md", "site/", "install.sh", "__proto__/", "constructor"]);
  t.strictSame([...leaves(tree)].sort(), [...paths].sort());
  t.strictSame(tree[1]?.branches.map(({ name }) => name), ["a", "deep/", "d"]);
  t.strictSame(treeOf([]), []);
  t.end();
});

t.test("what turns or hides a text is told", (t) => {
  t.equal(visible("a\u202eb\u0000c\u200b\td"), "a\\u202eb\\u0000c\\u200b\td");
  t.end();
});
