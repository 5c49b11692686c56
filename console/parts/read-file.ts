/** The text of a file that somebody has chosen. */

import { ApiProblem } from "../api.ts";

/** Throws an ApiProblem where it has changed since, or can't be read: a browser then gives nothing of it. */
export async function readFile(file: File): Promise<string> {
  try {
    return await file.text();
  } catch {
    throw new ApiProblem({ type: "urn:cloudlet-bundle:problem:unreadable", title: "The file can't be read", status: 0, detail: "It may have changed since you chose it. Choose it again." });
  }
}
