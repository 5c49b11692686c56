/** The service's log: a line of JSON for each event. It is given what may be told, so nothing has to be taken out. */

export type Level = "info" | "warn" | "error";

export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export type Log = (level: Level, event: string, fields?: Fields) => void;

/** `write` gets one line at a time, with its end. */
export function logTo(write: (line: string) => void, now: () => number): Log {
  return (level, event, fields = {}) => write(`${JSON.stringify({ time: new Date(now()).toISOString(), level, event, ...fields })}\n`);
}
