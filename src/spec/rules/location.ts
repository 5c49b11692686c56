/** Where the cloudlet is. */

import type { Rule } from "./rule.ts";
import { error } from "./rule.ts";

export const location: Rule = ({ location: at }) =>
  at?.latitude === 0 && at.longitude === 0
    ? [
        error(
          "spec/location-zero",
          "/location",
          "latitude 0 and longitude 0 is a place in the sea, and means that nobody filled it in",
          "give the place where the servers stand",
        ),
      ]
    : [];
