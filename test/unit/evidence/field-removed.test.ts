/** Each field of the golden spec "everything" removed: see every-field.ts. */

import t from "tap";
import { checkEveryField } from "./every-field.ts";

t.test("the lines that change are among those that the field takes part in, and diff tells it in its group", (t) => {
  checkEveryField(t, "removed");
  t.end();
});
