/** Nova's limit on user-data: the largest spec that fits is made, one byte more is refused, and so is all that the schema allows. */

import t from "tap";
import { novaUserDataBytes } from "../../../src/core/limits.ts";
import { composeText, textOf, wellRead } from "../../golden/cases.ts";
import { filledUp, largestSpec, specAtLimits } from "./largest-spec.ts";

const secretBytes = 600;

function bytesAt(comment: number): number {
  const { files } = wellRead(composeText(largestSpec({ comment, secretBytes })));
  const userData = textOf(files.find((file) => file.path === "site/user-data"));
  return Buffer.byteLength(filledUp(userData, { ACCESS_KEY: 512, FILLER: secretBytes }));
}

t.test("the largest that fits", (t) => {
  const comment = 1 + novaUserDataBytes - bytesAt(1);
  t.ok(comment > 1, "there is room with every list full");
  t.equal(bytesAt(comment), novaUserDataBytes, "filled to the byte");
  const over = composeText(largestSpec({ comment: comment + 1, secretBytes }));
  t.notOk(over.ok);
  t.match(over.issues, [{ code: "guest/user-data-too-long", message: new RegExp(`may grow to ${novaUserDataBytes + 1} bytes`) }], "one byte more is refused");
  t.end();
});

t.test("the schema allows more than fits, which is said by name", (t) => {
  const outcome = composeText(specAtLimits());
  t.strictSame(outcome.issues.filter((issue) => issue.severity === "error").map((issue) => issue.code), ["guest/user-data-too-long"]);
  t.end();
});
