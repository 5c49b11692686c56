/** Rows of texts as people wrote them, by digest: specs, releases, locks, receipts. */

import { sha256 } from "../../core/digest.ts";
import type { Database } from "./database.ts";

/** Gives the digest of the text's bytes. */
export async function keepDocument(db: Database, text: string): Promise<string> {
  const digest = sha256(text);
  await db.insertInto("documents").values({ digest, text }).onConflict((conflict) => conflict.doNothing()).execute();
  return digest;
}

/** What a row refers to is there. */
export async function documentText(db: Database, digest: string): Promise<string> {
  const { text } = await db.selectFrom("documents").select("text").where("digest", "=", digest).executeTakeFirstOrThrow();
  return text;
}
