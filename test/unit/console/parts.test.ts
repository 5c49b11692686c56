/** What the console works out by itself: groups on the map, drafts of the session, and colours that are the report's. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { groupsOf, limitsOf, type Located } from "../../../console/map/groups.ts";
import { namesShown } from "../../../console/map/names.ts";
import { sessionStore } from "../../../console/session.ts";
import { pageStyle } from "../../../src/evidence/page/style.ts";

const root = join(import.meta.dirname, "../../..");

const at = (id: string, longitude: number, latitude: number): Located => ({ id, organization: "O", name: id, platform: "openstack", state: "defined", longitude, latitude });
const flat = ({ longitude, latitude }: Located): [number, number] => [longitude, latitude];
const size = { width: 100, height: 100 };

t.test("what would lie on one another is one marker", (t) => {
  const groups = groupsOf([at("a", 50, 50), at("b", 10, 10), at("c", 52, 51), at("d", 10, 10)], flat, size, 5);
  t.strictSame(groups.map(({ x, items }) => [x, items.map(({ id }) => id)]), [[10, ["b", "d"]], [50, ["a", "c"]]], "from west to east");
  t.strictSame(groupsOf([at("out", 101, 5), at("under", 5, -1)], flat, size, 5), [], "what is outside of the picture is left out");
  t.strictSame(groupsOf([at("behind", 5, 5)], () => null, size, 5), []);
  const keys = groupsOf(Array.from({ length: 500 }, (_, index) => at(`c${index}`, index % 100, Math.floor(index / 5))), flat, size, 8);
  t.equal(keys.reduce((sum, { items }) => sum + items.length, 0), 500, "none is lost");
  t.equal(new Set(keys.map(({ key }) => key)).size, keys.length);
  t.strictSame(limitsOf([at("a", -5, 9), at("b", 3, -2)]), { west: -5, east: 3, south: -2, north: 9 });
  t.end();
});

t.test("a name shows on the map where it meets no marker and no other name", (t) => {
  const named = (key: string, x: number, y: number, width = 50) => ({ key, x, y, radius: 8, width });
  t.strictSame([...namesShown([named("a", 100, 100), named("b", 300, 100)])], ["a", "b"]);
  t.strictSame([...namesShown([named("a", 100, 100), named("b", 140, 104)])], ["b"], "the marker of another is in the way");
  t.strictSame([...namesShown([named("a", 100, 100), named("b", 90, 117)])], ["a"], "the name of another is in the way");
  t.strictSame([...namesShown([named("a", 100, 100, -50), named("b", 60, 104, -50)])], ["b"], "to the left");
  t.end();
});

function storage(): Pick<Storage, "getItem" | "setItem" | "removeItem"> & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return { kept, getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value), removeItem: (key) => void kept.delete(key) };
}

t.test("whoever waits for a session goes on with the new one, or is refused", async (t) => {
  const tab = storage();
  const session = sessionStore(tab);
  session.set("one");
  t.equal(sessionStore(tab).token(), "one", "a reload finds it again");
  const waiting = [session.renew("one"), session.renew("one")];
  t.equal(session.isExpired(), true);
  session.set("two");
  await Promise.all(waiting);
  t.equal(session.isExpired(), false);
  await session.renew("one");
  t.equal(session.isExpired(), false, "another request has renewed it already");
  const refused = session.renew("two");
  session.giveUp();
  await t.rejects(refused, /signed out/);
  t.equal(session.token(), undefined);
  t.equal(tab.kept.size, 0, "nothing of it is left in the tab");
});

t.test("the palette is the report's", (t) => {
  const palette = readFileSync(join(root, "console/theme/palette.css"), "utf8");
  const { css } = pageStyle("");
  const roots = (text: string): readonly string[] => [...text.matchAll(/:root\{([^}]*)\}/g)].slice(0, 2).map((match) => (match[1] ?? "").replace(/\s+/g, ""));
  t.strictSame(roots(palette), roots(css));
  t.end();
});
