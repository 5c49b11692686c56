/** The files in a bundle: each can be saved alone. */

import { useState, type ReactNode } from "react";
import { useAction, useConsole, useLoaded } from "../console.tsx";
import { TextField } from "../parts/field.tsx";
import { Ready } from "../parts/page.tsx";
import { ProblemNote } from "../parts/problem.tsx";
import { saveText } from "../parts/save.ts";
import { sizeText } from "../parts/words.tsx";
import type { Bundle } from "./bundles.tsx";

interface BundleFile {
  readonly path: string;
  readonly role: string;
  readonly size: number;
  readonly sha256: string;
}

/** A text of so many bytes is saved by the page itself; what is larger comes with the whole bundle. */
const savedAtMost = 8 * 1_048_576;

export function BundleFiles({ bundle }: { readonly bundle: Bundle }): ReactNode {
  const path = `/v1/bundles/${bundle.id}/files`;
  const [isOpen, setOpen] = useState(false);
  return (
    <section className="card">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary><h2 className="in-summary">Files in it</h2></summary>
        {isOpen && <Files path={path} />}
      </details>
    </section>
  );
}

function Files({ path }: { readonly path: string }): ReactNode {
  const { api } = useConsole();
  const [wanted, setWanted] = useState("");
  const loaded = useLoaded(path, async (from, signal) => (await from.get<{ readonly items: readonly BundleFile[] }>(path, { signal })).body.items);
  const save = useAction(async (file: BundleFile) => saveText(file.path.slice(file.path.lastIndexOf("/") + 1), await api.text(`${path}/${file.path.split("/").map(encodeURIComponent).join("/")}`)));
  return (
    <Ready loaded={loaded}>{(items) => {
      const shown = items.filter((file) => file.path.toLowerCase().includes(wanted.trim().toLowerCase()));
      return (
        <>
          <TextField label="Show only paths with" name="path" value={wanted} onChange={setWanted} hint={<span role="status">{shown.length} of {items.length} files</span>} />
          <ProblemNote problem={save.problem} />
          <div className="wide" tabIndex={0} role="region" aria-label="Table of files">
            <table className="stack">
              <caption className="visually-hidden">Files, in the order of the tar</caption>
              <thead><tr><th scope="col">Path</th><th scope="col">What for</th><th scope="col" className="n">Size</th><th scope="col"><span className="visually-hidden">Save</span></th></tr></thead>
              <tbody>{shown.map((file) => (
                <tr key={file.path}>
                  <th scope="row"><code title={`SHA-256 ${file.sha256}`}>{file.path}</code></th><td data-name="What for">{file.role}</td><td data-name="Size" className="n">{sizeText(file.size)}</td>
                  <td className="act">{isText(file) && <button type="button" className="button small" aria-label={`Save ${file.path}`} onClick={() => void save.run(file)}>Save</button>}</td>
                </tr>
              ))}</tbody>
            </table>
          </div>
        </>
      );
    }}</Ready>
  );
}

function isText({ path, size }: BundleFile): boolean {
  return size <= savedAtMost && !/\.(qcow2|vmdk|iso|tar|gz|img|zst)$/.test(path) && !path.startsWith("payload/");
}
