/** The world failed, not the user's document and not our code: disk, network, a missing tool. Exit status 3. */

export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
  }
}
