/** The keys that bundles are signed with: their fingerprints go to operators by another channel. */

import type { ReactNode } from "react";
import { Button } from "../parts/button.tsx";
import { useLoaded } from "../console.tsx";
import { CopyText } from "../parts/copy.tsx";
import { Page, Ready } from "../parts/page.tsx";
import { saveText } from "../parts/save.ts";
import { Time } from "../parts/time.tsx";

interface SigningKey {
  readonly fingerprint: string;
  readonly publicKey: string;
  readonly current: boolean;
  readonly created: string;
}

export function SigningKeys(): ReactNode {
  const loaded = useLoaded("/v1/signing-keys", async (api, signal) => (await api.get<{ readonly items: readonly SigningKey[] }>("/v1/signing-keys", { signal })).body.items);
  return (
    <Page title="Signing keys">
      <p>Each bundle is signed with one of these keys. An operator who has its fingerprint from you, by telephone or on paper, knows that a bundle is yours.</p>
      <Ready loaded={loaded}>{(items) => items.map((key) => (
        <section className="card" key={key.fingerprint} aria-label={key.current ? "The current key" : "An earlier key"}>
          <h2>{key.current ? "The current key" : "An earlier key"} {key.current && <span className="tag good">new bundles</span>}</h2>
          <h3>Fingerprint</h3>
          <CopyText text={key.fingerprint} name="fingerprint" />
          <h3>Public key</h3>
          <CopyText text={key.publicKey.trim()} name="public key" />
          <div className="row below"><Button className="button small" onPress={() => saveText(`signing-key-${key.fingerprint.slice(7, 15)}.pub.pem`, key.publicKey)}>Save the public key</Button><span className="soft">In use since <Time at={key.created} /></span></div>
        </section>
      ))}</Ready>
    </Page>
  );
}
