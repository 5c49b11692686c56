/** Where a delivery goes: the host, how it is known, and what stands on the way. */

import type { ReactNode } from "react";
import { LinesField, TextField } from "../parts/field.tsx";
import type { Delivery } from "./delivery.ts";

export interface Way {
  readonly host: string;
  readonly hostKeys: string;
  /** One a line. */
  readonly jumps: string;
  readonly folder: string;
  readonly source: string;
}

export const noWay: Way = { host: "", hostKeys: "", jumps: "", folder: "", source: "" };

/** The same way again. */
export function wayOf({ host, hostKeys, jumps, folder, source }: Delivery): Way {
  return { host, hostKeys, jumps: jumps.join("\n"), folder, source };
}

/** As the API takes it. */
export function givenWay({ host, hostKeys, jumps, folder, source }: Way, withSource: boolean): object {
  const hops = jumps.split("\n").map((each) => each.trim()).filter((each) => each !== "");
  return {
    host: host.trim(), hostKeys,
    ...(hops.length === 0 ? {} : { jumps: hops }),
    ...(folder.trim() === "" ? {} : { folder: folder.trim() }),
    ...(withSource && source.trim() !== "" ? { source: source.trim() } : {}),
  };
}

/** What is missing, by the name of its field. */
export function missingIn({ host, hostKeys }: Way): Readonly<Record<string, string>> {
  return {
    ...(/^[^@\s]+@\S+$/.test(host.trim()) ? {} : { host: "Write it as user@host, or user@host:port." }),
    ...(hostKeys.trim() === "" ? { hostKeys: "Without it nobody can tell whether it is the host." } : {}),
  };
}

export function WayFields({ way, onChange, wrong, withSource }: { readonly way: Way; readonly onChange: (way: Way) => void; readonly wrong: Readonly<Record<string, string>>; readonly withSource: boolean }): ReactNode {
  const set = (change: Partial<Way>): void => onChange({ ...way, ...change });
  return (
    <div className="wide-fields">
      <TextField label="Host" name="host" value={way.host} onChange={(host) => set({ host })} error={wrong["host"]} hint={<>The site's jump host: <code>user@host</code> or <code>user@host:port</code>.</>} />
      <LinesField label="Its host key" name="hostKeys" value={way.hostKeys} onChange={(hostKeys) => set({ hostKeys })} rows={3} error={wrong["hostKeys"]} hint={<>A fingerprint (<code>SHA256:…</code>), the public key, or lines of known_hosts; of a jump host <code>HOST=SHA256:…</code></>} />
      <details>
        <summary>How to come by the host key</summary>
        <p>Nobody is believed at first sight: the key has to come by another way than the line to the host. Ask the host's administrator, over the telephone say, for what this prints there:</p>
        <pre><code>ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub</code></pre>
        <p>Somebody who has logged in there before, and has compared it then, has the line on their own machine:</p>
        <pre><code>ssh-keygen -F HOST</code></pre>
        <p><code>ssh-keyscan</code> asks the line itself, and so proves nothing.</p>
      </details>
      <details open={way.jumps !== "" || way.folder !== "" || way.source !== "" || wrong["jumps"] !== undefined}>
        <summary>Hosts on the way, and where on the host</summary>
        <LinesField label="Jump hosts" name="jumps" value={way.jumps} onChange={(jumps) => set({ jumps })} rows={2} error={wrong["jumps"]} hint="One a line, the nearest first. They are given the same private key; their host keys stand above, too." />
        <TextField label="Folder on the host" name="folder" value={way.folder} onChange={(folder) => set({ folder })} hint="From the home folder, or absolute. Left empty, cloudlet-bundle/ and the bundle's name." />
        {withSource && <TextField label="File that is read before install.sh" name="source" value={way.source} onChange={(source) => set({ source })} hint="On the host, such as an openrc: commands over SSH read no profile." />}
      </details>
    </div>
  );
}
