/** Follows redirects by hand, so that https never leads to http, and a `file:` or other scheme nowhere. */

import type { Answer, Asking, Send } from "./http-send.ts";
import { NotServed } from "./patience.ts";

const mostRedirects = 5;

/** The first answer that is no redirect. `send` decides for each address what it says of us. Throws NotServed. */
export async function followRedirects(send: Send, from: URL, asking: Asking): Promise<Answer> {
  let url = from;
  for (let hops = 0; hops <= mostRedirects; hops += 1) {
    const answer = await send(url, asking);
    const location = answer.header("location");
    if (answer.status < 300 || answer.status >= 400 || location === undefined) return answer;
    answer.discard();
    const next = URL.parse(location, url.href);
    if (next === null || next.username !== "" || next.password !== "") {
      throw new NotServed(`${shown(url)} leads to an address that can't be fetched`);
    }
    if (next.protocol !== "https:" && !(next.protocol === "http:" && url.protocol === "http:")) {
      throw new NotServed(`${shown(url)} leads to ${next.protocol}//…, which is less safe`);
    }
    url = next;
  }
  throw new NotServed(`${shown(from)} leads on more than ${mostRedirects} times`);
}

/** Without its query: addresses that a registry leads to hold a signature there. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
