/** Other people's readers, asked about many texts in one process each: PyYAML, and the shells. */

import { spawnSync } from "node:child_process";

const python = "/usr/bin/python3";

/** What PyYAML's SafeLoader makes of each text, or `{error}`; `types` tells Python's type of every scalar, in order. */
export interface PyYamlReading {
  readonly value?: unknown;
  readonly types?: readonly string[];
  readonly error?: string;
}

const program = `
import json, sys, yaml
def types(value, into):
    if isinstance(value, dict):
        for key, each in value.items(): types(key, into); types(each, into)
    elif isinstance(value, list):
        for each in value: types(each, into)
    else: into.append(type(value).__name__)
    return into
answers = []
for text in json.load(sys.stdin):
    try:
        value = yaml.safe_load(text)
        answers.append({"value": value, "types": types(value, [])})
    except (yaml.YAMLError, ValueError) as error:
        answers.append({"error": str(error)})
json.dump(answers, sys.stdout, default=repr)
`;

export function readByPyYaml(texts: readonly string[]): readonly PyYamlReading[] {
  const run = spawnSync(python, ["-c", program], { input: JSON.stringify(texts), encoding: "utf8", maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`PyYAML is needed: apt-get install python3-yaml\n${run.stderr}`);
  return JSON.parse(run.stdout) as readonly PyYamlReading[];
}

/** The words as a shell hands them on, NUL between them: `script` calls `printf '%s\\0'` with them. */
export function wordsByShell(shell: string, script: string): readonly string[] {
  const run = spawnSync(shell, shell.endsWith("busybox") ? ["sh"] : [], { input: script, encoding: "utf8", maxBuffer: 1 << 28, env: { LC_ALL: "C", PATH: "/usr/bin:/bin" } });
  if (run.status !== 0) throw new Error(`${shell}: ${run.error?.message ?? run.stderr}`);
  return run.stdout.split("\0").slice(0, -1);
}
