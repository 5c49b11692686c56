/** What is in a bundle: its files as a tree, their lines, and what caused each. */

import { useEffect, useMemo, useState, type ReactNode } from "react";
import { Button, Collection, Tree, TreeItem, TreeItemContent, type Selection } from "react-aria-components";
import { ApiProblem, type Api } from "../api.ts";
import { FileText } from "./file-text.tsx";
import { treeOf, type Branch, type BundleFile } from "./tree.ts";

export interface BundleBrowserProps {
  readonly api: Api;
  readonly bundle: { readonly id: string };
  /** The address of a field of the cloudlet's spec, where the page has one. */
  readonly specAddress?: (pointer: string) => string;
}

/** A file, and the line that is wanted of it. */
export interface Wanted {
  readonly path: string;
  readonly line: number;
}

export function BundleBrowser({ api, bundle, specAddress }: BundleBrowserProps): ReactNode {
  const [files, setFiles] = useState<readonly BundleFile[]>([]);
  const [problem, setProblem] = useState<string>();
  const [search, setSearch] = useState("");
  const [wanted, setWanted] = useState<Wanted>();
  useEffect(() => {
    const stop = new AbortController();
    api.get<{ readonly items: readonly BundleFile[] }>(`/v1/bundles/${encodeURIComponent(bundle.id)}/files`, { signal: stop.signal }).then(({ body }) => {
      setFiles(body.items);
      setProblem(undefined);
    }, (error: unknown) => {
      if (stop.signal.aborted) return;
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error.problem.detail);
    });
    return () => stop.abort();
  }, [api, bundle.id]);
  const found = useMemo(() => files.filter(({ path }) => path.toLowerCase().includes(search.trim().toLowerCase())), [files, search]);
  const tree = useMemo(() => treeOf(found), [found]);
  const file = files.find(({ path }) => path === wanted?.path);
  return (
    <div className="bundle-browser">
      <section className="card" aria-label="Files of the bundle">
        <h2>Files</h2>
        <div className="field"><label htmlFor={`search-${bundle.id}`}>Search in names</label><input id={`search-${bundle.id}`} type="search" value={search} spellCheck={false} autoComplete="off" onChange={(event) => setSearch(event.target.value)} /><span className="hint" role="status">{problem ?? `${found.length} of ${files.length} files`}</span></div>
        <FileTree tree={tree} wanted={wanted} choose={(path) => setWanted({ path, line: 1 })} isSearch={search.trim() !== ""} />
      </section>
      <section className="card" aria-label="The file">
        {file === undefined ? <p className="empty">Choose a file: its lines come with what caused each of them.</p> : <FileText key={file.path} api={api} bundle={bundle.id} file={file} line={wanted?.line ?? 1} open={setWanted} specAddress={specAddress} />}
      </section>
    </div>
  );
}

function FileTree({ tree, wanted, choose, isSearch }: { readonly tree: readonly Branch[]; readonly wanted: Wanted | undefined; readonly choose: (path: string) => void; readonly isSearch: boolean }): ReactNode {
  const [open, setOpen] = useState<ReadonlySet<string | number>>(new Set(["site/"]));
  // All that is found shows.
  const expanded = isSearch ? foldersOf(tree) : open;
  const selected = (keys: Selection): void => {
    const [key] = keys === "all" ? [] : [...keys];
    if (key !== undefined && !String(key).endsWith("/")) choose(String(key));
  };
  const toggle = (path: string): void => setOpen((before) => new Set(before.has(path) ? [...before].filter((each) => each !== path) : [...before, path]));
  return (
    <Tree
      className="file-tree" aria-label="Files" items={tree} selectionMode="single" selectionBehavior="replace" selectedKeys={wanted === undefined ? [] : [wanted.path]} onSelectionChange={selected}
      onAction={(key) => { if (String(key).endsWith("/")) toggle(String(key)); else choose(String(key)); }} expandedKeys={expanded} onExpandedChange={(keys) => setOpen(new Set(keys))} renderEmptyState={() => <p className="soft">No file has that in its name.</p>}
    >
      {(branch) => <TreeBranch branch={branch} />}
    </Tree>
  );
}

function TreeBranch({ branch }: { readonly branch: Branch }): ReactNode {
  return (
    <TreeItem id={branch.path} textValue={branch.name} className="file-branch">
      <TreeItemContent>{({ level, isExpanded }) => (
        <span className={`file-row level-${Math.min(level, 6)}`}>
          {branch.file === undefined ? <Button slot="chevron" className="file-chevron" aria-label={isExpanded ? "Close" : "Open"}>{isExpanded ? "▾" : "▸"}</Button> : <span className="file-chevron" />}
          <code>{branch.name}</code>
          {branch.file !== undefined && <span className="soft file-size">{sizeText(branch.file.size)}</span>}
        </span>
      )}</TreeItemContent>
      <Collection items={branch.branches}>{(inner) => <TreeBranch branch={inner} />}</Collection>
    </TreeItem>
  );
}

function foldersOf(tree: readonly Branch[]): ReadonlySet<string> {
  return new Set(tree.flatMap(({ path, file, branches }) => (file === undefined ? [path, ...foldersOf(branches)] : [])));
}

export function sizeText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const size = bytes / 1_024 ** power;
  return `${power === 0 ? size : size.toFixed(size < 10 ? 1 : 0)} ${units[power]}`;
}
