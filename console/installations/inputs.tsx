/** What install.sh is given besides a login: parameters, secrets, the access key, and whether an older bundle will do. On the page alone. */

import { useState, type ReactNode } from "react";
import type { Api } from "../api.ts";
import { useLoaded } from "../console.tsx";
import { Ready } from "../parts/page.tsx";
import { AccessKeyFields, givenKey, isKeyMissing, type AccessKey, type Keyed } from "./access-key.tsx";
import { isAccessKey, parametersIn, slotsIn, type Slot } from "./bundle-asks.ts";
import type { InstallationAction } from "./installation.ts";
import { useGone } from "./login.tsx";
import { ParameterFields, parametersOf, type Parameter } from "./parameters.tsx";
import { SlotFields } from "./slots.tsx";

interface Draft {
  readonly parameters: readonly Parameter[];
  readonly secrets: Readonly<Record<string, string>>;
  readonly accessKey: AccessKey;
  readonly allowOlder: boolean;
}

export interface Inputs {
  readonly draft: Draft;
  readonly change: (change: Partial<Draft>) => void;
  readonly keyed: Keyed;
  /** What is missing, at its field. */
  readonly missing: string | undefined;
  /** False where something is missing. */
  readonly check: () => boolean;
  /** As the API takes them. */
  readonly take: () => object;
  readonly forget: () => void;
}

/** Of `check`, `install` and `upgrade`. */
export function useInputs(action: InstallationAction, { isIssued, isInstalled }: Pick<Keyed, "isIssued" | "isInstalled">, parameters: Readonly<Record<string, string>> = {}): Inputs {
  const [draft, setDraft] = useState<Draft>(() => ({ parameters: Object.entries(parameters).map(([name, value]) => ({ name, value })), secrets: {}, accessKey: { choice: undefined, own: "", ownSecond: "" }, allowOlder: false }));
  const [missing, setMissing] = useState<string>();
  const keyed = { action, isIssued, isInstalled };
  const change = (changed: Partial<Draft>): void => setDraft((now) => ({ ...now, ...changed }));
  const forget = (): void => setDraft((now) => ({ ...now, secrets: {}, accessKey: { choice: now.accessKey.choice, own: "", ownSecond: "" } }));
  useGone(forget);
  return {
    draft, change, keyed, missing, forget,
    check: () => {
      const isLacking = hasKey(action) && isKeyMissing(draft.accessKey, keyed);
      setMissing(isLacking ? "Give it here, or choose another way." : undefined);
      return !isLacking;
    },
    take: () => {
      const key = hasKey(action) ? givenKey(draft.accessKey, keyed) : { secrets: {} };
      const filled = { ...Object.fromEntries(Object.entries(draft.secrets).filter(([, value]) => value !== "")), ...key.secrets };
      return {
        parameters: parametersOf(draft.parameters),
        ...(Object.keys(filled).length === 0 ? {} : { secrets: filled }),
        ...(draft.allowOlder ? { allowOlder: true } : {}),
        ...(key.accessKey === undefined ? {} : { accessKey: key.accessKey }),
      };
    },
  };
}

function hasKey(action: InstallationAction): boolean {
  return action === "install" || action === "upgrade";
}

interface Asks {
  readonly slots: readonly Slot[];
  readonly parameters: readonly string[];
}

/** Read out of the bundle, which says itself what it wants. */
async function askedBy(api: Api, bundle: string, platform: string, signal: AbortSignal): Promise<Asks> {
  const file = (path: string): Promise<string> => api.text(`/v1/bundles/${bundle}/files/${path}`, { signal });
  const [slots, template] = await Promise.all([file("site/secrets.template"), platform === "openstack" ? file("site/heat-template.yaml") : ""]);
  return { slots: slotsIn(slots).filter(({ name }) => !isAccessKey(name)), parameters: parametersIn(template) };
}

export function InputFields({ inputs: { draft, change, keyed, missing }, bundle, platform }: { readonly inputs: Inputs; readonly bundle: string; readonly platform: string }): ReactNode {
  const asks = useLoaded(`asked by ${bundle}`, (api, signal) => askedBy(api, bundle, platform, signal));
  const withKey = hasKey(keyed.action);
  return (
    <Ready loaded={asks}>{({ slots, parameters: known }) => (
      <>
        <section className="card">
          <h2>Parameters</h2>
          <ParameterFields parameters={draft.parameters} onChange={(parameters) => change({ parameters })} known={known} />
          <div className="field"><label className="check"><input type="checkbox" checked={draft.allowOlder} onChange={(event) => change({ allowOlder: event.target.checked })} /><span>Also where this bundle is older than one that was installed there before</span></label></div>
        </section>
        {(withKey || slots.length > 0) && (
          <section className="card">
            <h2>Secrets</h2>
            {withKey && <AccessKeyFields value={draft.accessKey} onChange={(accessKey) => change({ accessKey })} keyed={keyed} error={missing} />}
            <SlotFields slots={slots} values={draft.secrets} onChange={(secrets) => change({ secrets })} />
          </section>
        )}
      </>
    )}</Ready>
  );
}
