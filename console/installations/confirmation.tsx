/** Asks once more before something at the site is taken away or replaced. */

import { useState, type ReactNode } from "react";
import { FormDialog } from "../parts/dialog.tsx";
import { TextField } from "../parts/field.tsx";
import { actionWords, type InstallationAction } from "./installation.ts";

/** What takes a PlatformVM away that may be at work. */
export function needsConfirmation(action: InstallationAction): boolean {
  return action === "upgrade" || action === "rollback" || action === "uninstall";
}

export function Confirmation({ action, cloudlet, isRunning, onClose, onConfirm }: { readonly action: InstallationAction; readonly cloudlet: string; readonly isRunning: boolean; readonly onClose: () => void; readonly onConfirm: () => void }): ReactNode {
  const { name, does } = actionWords[action];
  const [typed, setTyped] = useState("");
  const [mistake, setMistake] = useState<string>();
  const isForGood = action === "uninstall";
  const submit = (): void => {
    const isMeant = !isForGood || typed === cloudlet;
    setMistake(isMeant ? undefined : `Write ${cloudlet}.`);
    if (isMeant) onConfirm();
  };
  return (
    <FormDialog title={`${name}: ${cloudlet}?`} action={name} isAlert isDangerous isRunning={isRunning} problem={undefined} onClose={onClose} onSubmit={submit}>
      <p>{does}</p>
      {isForGood && <TextField label="Write the cloudlet's name to go on" name="confirmation" value={typed} onChange={setTyped} error={mistake} autoFocus />}
    </FormDialog>
  );
}
