/** What is asked once for each object. */

import t from "tap";
import { oncePer } from "../../../src/core/once-per.ts";

t.test("an object is asked once, a copy of it again, and nobody sees that it was", async (t) => {
  const asked: object[] = [];
  const nameOf = oncePer((of: { readonly name: string }) => {
    asked.push(of);
    return of.name.toUpperCase();
  });
  const one = { name: "a" };
  const copy = { ...one };
  t.same([nameOf(one), nameOf(one), nameOf(copy)], ["A", "A", "A"]);
  t.equal(asked.length, 2);
  t.same(Reflect.ownKeys({ ...one }), ["name"]);
  t.equal(JSON.stringify(one), '{"name":"a"}');
});

t.test("two questions about one object have their own answers, undefined among them", async (t) => {
  let asked = 0;
  const none = oncePer((_: object) => {
    asked += 1;
    return undefined;
  });
  const some = oncePer((_: object) => "some");
  const of = new Uint8Array(1);
  t.same([none(of), some(of), none(of)], [undefined, "some", undefined]);
  t.equal(asked, 1);
});
