/** A host that is not the one it should be, or that does not let us in: whoever asks has to say something else. */

import { EnvironmentError } from "../core/environment-error.ts";

export class Refused extends EnvironmentError {
  readonly about: "host-key" | "login";

  constructor(about: Refused["about"], message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options);
    this.about = about;
  }
}
