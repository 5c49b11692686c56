/** Something that the service needs and that comes back by itself does not answer: a database, an object store. */

import { EnvironmentError } from "../core/environment-error.ts";

/** Whoever meets it may try again later; nothing was half-done. */
export class Unavailable extends EnvironmentError {
  readonly comesBack = true;
}
