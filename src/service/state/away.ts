/** Whether a failure means that the database does not answer just now, as against one of the statement. */

import { Unavailable } from "../../store/unavailable.ts";

/** Of the network, by Node. */
const network: ReadonlySet<string> = new Set(["ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN", "ENOENT"]);

/**
 * PostgreSQL's codes (appendix A of its manual): connections, no room, intervention of an operator, system error, read-only (a
 * standby), timeouts of locks and idle transactions, what another transaction made fail, and refused logins.
 */
const classes = /^(08|53|57|58)...$|^(25006|25P0[34]|55P03|40001|40P01|28000|28P01|3D000)$/;

/** pg gives no code where a connection ends in the midst of something. */
const ended = /^(Connection terminated|Client has encountered a connection error|Query read timeout|timeout exceeded when trying to connect|timeout expired|The server does not support SSL|Client was closed|Cannot use a pool after)/;

/** What to tell; undefined where it is another failure. */
export function awayBecause(error: unknown): string | undefined {
  if (error instanceof Unavailable) return error.message;
  if (!(error instanceof Error)) return undefined;
  const { code, syscall } = error as NodeJS.ErrnoException;
  // A file that is missing is another matter.
  if (code !== undefined && network.has(code) && (code !== "ENOENT" || syscall === "connect")) return `the database does not answer: ${error.message || code}`;
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code) && classes.test(code)) return `the database does not answer: ${error.message}`;
  return ended.test(error.message) ? `the database does not answer: ${error.message}` : undefined;
}
