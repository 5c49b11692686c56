/** The scenarios against OpenStack, each with what it costs, and which of them a run takes. */

export interface Scenario {
  readonly name: string;
  /** Measured on two busy cores. */
  readonly seconds: number;
  /** always: in every run. rotate: one of these, chosen by the commit. full: only with --full. */
  readonly when: "always" | "rotate" | "full";
}

export const scenarios: readonly Scenario[] = [
  { name: "check", seconds: 110, when: "always" },
  { name: "install", seconds: 165, when: "always" },
  { name: "kill", seconds: 200, when: "always" },
  { name: "upgrade", seconds: 270, when: "always" },
  { name: "unwell", seconds: 150, when: "rotate" },
  { name: "ha", seconds: 300, when: "rotate" },
  { name: "largest", seconds: 110, when: "rotate" },
  { name: "quiet", seconds: 150, when: "rotate" },
  { name: "addresses", seconds: 120, when: "rotate" },
  { name: "shells", seconds: 115, when: "rotate" },
  { name: "secrets-change", seconds: 165, when: "rotate" },
  { name: "lost-state", seconds: 150, when: "rotate" },
  { name: "direct", seconds: 250, when: "rotate" },
  { name: "direct-console", seconds: 330, when: "rotate" },
  { name: "application-credential", seconds: 365, when: "full" },
];

/** CONFORMANCE_FULL: all; CONFORMANCE_SEED (a commit): which of the rotating ones; CONFORMANCE_ONLY: names, by comma. */
export function takes(name: string, environment: Readonly<Record<string, string | undefined>> = process.env): boolean {
  const scenario = scenarios.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`no such scenario: ${name}`);
  const only = environment["CONFORMANCE_ONLY"];
  if (only !== undefined && only !== "") return only.split(",").includes(name);
  if (environment["CONFORMANCE_FULL"] === "1" || scenario.when === "always") return true;
  const rotating = scenarios.filter((each) => each.when === "rotate");
  const seed = Number.parseInt((environment["CONFORMANCE_SEED"] ?? "").slice(0, 6), 16) || 0;
  return scenario.when === "rotate" && rotating[seed % rotating.length] === scenario;
}
