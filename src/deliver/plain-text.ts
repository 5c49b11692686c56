/** Text from the other side, as a terminal may show it. */

/** Without control characters but line ends and tabs: an escape sequence of a host must not reach the user's terminal. */
export function plainText(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
}
