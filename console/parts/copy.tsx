/** Texts to take along: a button that copies, and secrets that are shown once. */

import { useState, type ReactNode } from "react";
import { Button } from "./button.tsx";
import { saveText } from "./save.ts";

/** Says itself that it has copied; where the browser does not let it, the text is there to be selected. */
export function Copy({ text, name }: { readonly text: string; readonly name: string }): ReactNode {
  const [said, setSaid] = useState("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      setSaid("Select it and copy by hand");
    }
    setTimeout(() => setSaid(""), 2_500);
  };
  return (
    <span className="copy">
      <Button className="button small" onPress={() => void copy()} aria-label={`Copy ${name}`}>Copy</Button>
      <span role="status" className="soft">{said}</span>
    </span>
  );
}

/** A line or a few to be copied. */
export function CopyText({ text, name }: { readonly text: string; readonly name: string }): ReactNode {
  return <div className="copy-text"><pre className="code" tabIndex={0} role="group" aria-label={name}>{text}</pre><Copy text={text} name={name} /></div>;
}

/** What is never shown again. */
export function Secret({ text, name, fileName }: { readonly text: string; readonly name: string; readonly fileName: string }): ReactNode {
  return (
    <>
      <div className="note look"><p>This is shown once and kept nowhere: copy it or save it now.</p></div>
      <pre className="code secret" tabIndex={0} role="group" aria-label={name}>{text}</pre>
      <div className="row">
        <Copy text={text} name={name} />
        <Button className="button small" onPress={() => saveText(fileName, text)}>Save as a file</Button>
      </div>
    </>
  );
}
