/** Rotation: what was sealed with another key than the first is sealed again with that one, when the service starts. */

import type { Context } from "../context.ts";
import type { Sealing } from "./sealing.ts";

/** What is said of a sealed thing, so that it opens nowhere else. */
export const aboutCredentials = (cloudletId: string, name: string): readonly string[] => ["credentials", cloudletId, name];
export const aboutSecrets = (installationId: string): readonly string[] => ["secrets", installationId];

/** What no key opens is left as it is, and told: its key may come back. */
export async function sealAnew({ db, log }: Context, sealing: Sealing): Promise<void> {
  const lost = { credentials: 0, secrets: 0 };
  for (const row of await db.selectFrom("site_credentials").selectAll().where("sealed_key", "!=", sealing.keyId).execute()) {
    const about = aboutCredentials(row.cloudlet_id, row.name);
    const text = sealing.open({ box: row.sealed, keyId: row.sealed_key }, about);
    if (text === undefined) {
      lost.credentials += 1;
      continue;
    }
    const { box, keyId } = sealing.seal(text, about);
    await db.updateTable("site_credentials").set({ sealed: box, sealed_key: keyId }).where("id", "=", row.id).where("sealed", "=", row.sealed).execute();
  }
  for (const row of await db.selectFrom("installations").select(["id", "secrets", "secrets_key"]).where("secrets", "is not", null).where("secrets_key", "!=", sealing.keyId).execute()) {
    const text = sealing.open({ box: row.secrets ?? "", keyId: row.secrets_key ?? "" }, aboutSecrets(row.id));
    if (text === undefined) {
      lost.secrets += 1;
      continue;
    }
    const { box, keyId } = sealing.seal(text, aboutSecrets(row.id));
    await db.updateTable("installations").set({ secrets: box, secrets_key: keyId }).where("id", "=", row.id).where("secrets", "=", row.secrets).execute();
  }
  if (lost.credentials + lost.secrets > 0) log("error", "sealed-with-unknown-key", lost);
}
