/** Every verb of the command line: one line each, loaded when it is asked for, so that `check` does not pay for `build`. */

import type { Command } from "commander";
import type { ExitStatus, Io } from "./io.ts";

/** What a verb's file exports: its options and examples, and what it does. */
export interface Verb {
  /** Adds arguments, options and examples to `command` and calls `done` with the exit status from its action. */
  readonly define: (command: Command, io: Io, done: (status: ExitStatus) => void) => void;
}

export interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Verb>;
}

export const verbs: readonly VerbEntry[] = [
  { name: "init", summary: "write a commented starter spec", load: () => import("./init.ts") },
  { name: "check", summary: "validate a cloudlet spec or an OVF package", load: () => import("./check.ts") },
  { name: "import", summary: "turn a MobiledgeX cloudlet object into a spec", load: () => import("./import.ts") },
  { name: "lock", summary: "resolve a release: fetch its inputs and note what they are", load: () => import("./lock.ts") },
  { name: "render", summary: "write the small files only", load: () => import("./render.ts") },
  { name: "build", summary: "make the bundle", load: () => import("./build.ts") },
  { name: "ova", summary: "write the OVF package of a cloudlet as one OVA", load: () => import("./ova.ts") },
  { name: "sign", summary: "add a signature to a bundle that is there", load: () => import("./sign.ts") },
  { name: "trust", summary: "make, rotate, sign or show a trust policy", load: () => import("./trust.ts") },
  { name: "verify", summary: "check a bundle's digests and signature", load: () => import("./verify.ts") },
  { name: "inspect", summary: "list what is in a bundle, show or extract files", load: () => import("./inspect.ts") },
  { name: "explain", summary: "say why a line of a bundle is as it is", load: () => import("./explain.ts") },
  { name: "diff", summary: "say what changed from one bundle to another", load: () => import("./diff.ts") },
  { name: "audit", summary: "ask a bundle, or a spec, the rules of an audit", load: () => import("./audit.ts") },
  { name: "report", summary: "write the report of a bundle, or of a spec, as a page or as data", load: () => import("./report.ts") },
  { name: "rebuild", summary: "make a bundle again from its own documents and compare", load: () => import("./rebuild.ts") },
  { name: "push", summary: "bring a bundle to a jump host over SSH and install it from there", load: () => import("./push.ts") },
  { name: "split", summary: "split a bundle into parts for smaller media", load: () => import("./split.ts") },
  { name: "join", summary: "make a bundle of its parts again", load: () => import("./join.ts") },
  { name: "delta", summary: "write what a bundle has over another one, or apply that", load: () => import("./delta.ts") },
  { name: "keygen", summary: "make a signing key", load: () => import("./keygen.ts") },
  { name: "access-key", summary: "make the one-time access key of a CRM", load: () => import("./access-key.ts") },
  { name: "store", summary: "list, check or clean the blob store", load: () => import("./store.ts") },
  { name: "serve", summary: "run the service: bundles on request, over HTTP", load: () => import("./serve.ts") },
  { name: "completion", summary: "print a completion script for the shell", load: () => import("./completion.ts") },
];
