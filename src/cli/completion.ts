/** `completion`: a script that completes verbs and options, made from the command tree itself. */

import type { Command } from "commander";
import type { ExitStatus, Io } from "./io.ts";
import { wholeProgram } from "./main.ts";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

/** Verbs with their long options. */
type Words = ReadonlyMap<string, { readonly summary: string; readonly options: readonly { readonly flag: string; readonly text: string }[] }>;

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .argument("<shell>", "bash, zsh or fish")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle completion bash > ~/.local/share/bash-completion/completions/cloudlet-bundle
  cloudlet-bundle completion fish > ~/.config/fish/completions/cloudlet-bundle.fish`,
    )
    .action(async (shell: string) => {
      if (!isShell(shell)) {
        io.err(`cloudlet-bundle completion: there is a script for ${shells.join(", ")}, not for ${shell}\n`);
        return done(2);
      }
      io.out(scripts[shell](wordsOf(await wholeProgram(io))));
      done(0);
    });
}

function isShell(name: string): name is Shell {
  return (shells as readonly string[]).includes(name);
}

function wordsOf(program: Command): Words {
  return new Map(
    program.commands.map((command) => [
      command.name(),
      {
        summary: command.summary(),
        options: [...command.options.map((option) => ({ flag: option.long ?? option.flags, text: option.description })), { flag: "--help", text: "print help" }],
      },
    ]),
  );
}

const scripts: Readonly<Record<Shell, (words: Words) => string>> = {
  bash: (words) => `# bash completion for cloudlet-bundle
_cloudlet_bundle() {
    local current=\${COMP_WORDS[COMP_CWORD]} words=
    if ((COMP_CWORD == 1)); then
        words='${[...words.keys(), "--help", "--version"].join(" ")}'
    else
        case \${COMP_WORDS[1]} in
${[...words].map(([verb, { options }]) => `            ${verb}) words='${options.map((option) => option.flag).join(" ")}' ;;`).join("\n")}
        esac
    fi
    if [[ $current == -* || $COMP_CWORD -eq 1 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -o filenames -F _cloudlet_bundle cloudlet-bundle
`,
  zsh: (words) => `#compdef cloudlet-bundle
_cloudlet_bundle() {
    if ((CURRENT == 2)); then
        local -a verbs=(
${[...words].map(([verb, { summary }]) => `            ${quoted(`${verb}:${summary}`)}`).join("\n")}
        )
        _describe verb verbs
        return
    fi
    case $words[2] in
${[...words].map(([verb, { options }]) => `        ${verb}) _arguments ${options.map((option) => quoted(`${option.flag}[${option.text.replace(/[[\]:]/g, " ")}]`)).join(" ")} '*:file:_files' ;;`).join("\n")}
    esac
}
compdef _cloudlet_bundle cloudlet-bundle
`,
  fish: (words) => `# fish completion for cloudlet-bundle
${[...words]
  .flatMap(([verb, { summary, options }]) => [
    `complete -c cloudlet-bundle -n __fish_use_subcommand -f -a ${verb} -d ${quoted(summary)}`,
    ...options.map((option) => `complete -c cloudlet-bundle -n '__fish_seen_subcommand_from ${verb}' -l ${option.flag.replace(/^--/, "")} -d ${quoted(option.text)}`),
  ])
  .join("\n")}
`,
};

/** POSIX.1-2017 XCU 2.2.2; zsh and fish read it the same way but for fish's backslash. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "’").replaceAll("\\", "/")}'`;
}
