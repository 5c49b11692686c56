/** Dialogs: the focus stays inside, Escape closes, and afterwards it is where it was. */

import type { FormEvent, ReactNode } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import type { ApiProblem } from "../api.ts";
import { Button } from "./button.tsx";
import { ProblemNote } from "./problem.tsx";

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  /** Closed by its own buttons alone: what is shown, is shown once. */
  readonly isFirm?: boolean;
  readonly isAlert?: boolean;
  readonly children: ReactNode;
}

export function Dialog({ title, onClose, isFirm = false, isAlert = false, children }: DialogProps): ReactNode {
  return (
    <ModalOverlay isOpen onOpenChange={(isOpen) => void (isOpen || onClose())} isDismissable={false} isKeyboardDismissDisabled={isFirm} className="overlay">
      <Modal className="modal">
        <AriaDialog role={isAlert ? "alertdialog" : "dialog"} className="dialog">
          <Heading slot="title" level={2}>{title}</Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

export interface FormDialogProps extends DialogProps {
  readonly action: string;
  readonly isDangerous?: boolean;
  readonly isRunning: boolean;
  readonly problem: ApiProblem | undefined;
  readonly hideIssues?: boolean;
  readonly onSubmit: () => void;
}

/** A dialog that does one thing, or nothing. */
export function FormDialog({ action, isDangerous = false, isRunning, problem, hideIssues = false, onSubmit, children, ...rest }: FormDialogProps): ReactNode {
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Dialog {...rest}>
      <form onSubmit={submit} noValidate>
        {children}
        <ProblemNote problem={problem} hideIssues={hideIssues} />
        <div className="row end">
          <Button className="button" onPress={rest.onClose}>Cancel</Button>
          <Button type="submit" className={`button ${isDangerous ? "danger" : "main"}`} isPending={isRunning}>{action}</Button>
        </div>
      </form>
    </Dialog>
  );
}
