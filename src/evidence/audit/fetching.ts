/** Whether a line of a script calls a program that fetches or installs something. */

/** A comment calls nothing. `curl` and `wget` may ask this machine, so whom they ask is what counts: AIRGAP-01. */
export function fetches(line: string): boolean {
  return mayFetch.test(line) && fetching.some((pattern) => pattern.test(line)) && !/^\s*#/.test(line);
}

/** The words that are common to all, so that most lines are passed over at once. */
export const mayFetch = /install|add|update|upgrade|pull|download|get|fetch|clone|copy/;

const fetching: readonly RegExp[] = [
  /(?:^|[\s;&|(`"'])(?:apt(?:-get)?|dnf|yum|zypper|apk|snap|pip3?|npm|gem|helm|go)\s+(?:-\S+\s+)*(?:install|add|update|upgrade|pull|download|get|fetch)\b/,
  /(?:^|[\s;&|(`"'])(?:docker|podman|nerdctl|crictl|ctr|skopeo|"\$engine")\s+(?:-\S+\s+)*(?:images?\s+)?(?:pull|copy)\b/,
  /\bgit\s+(?:clone|fetch|pull)\b/,
];
