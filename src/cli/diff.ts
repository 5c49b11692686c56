/** `diff`: to come. */
import type { Command } from "commander";
import type { ExitStatus, Io } from "./io.ts";
export function define(_command: Command, _io: Io, _done: (status: ExitStatus) => void): void {}
