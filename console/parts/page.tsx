/** A page: its title, its heading, which gets the focus after a step, and what can be done on it. */

import { useEffect, useRef, type ReactNode } from "react";
import type { ApiProblem } from "../api.ts";
import type { Loaded } from "../console.tsx";
import { hasStepped, Link } from "../router.tsx";
import { ProblemNote } from "./problem.tsx";

export interface PageProps {
  readonly title: string;
  /** Which part of it, for the browser's tab. */
  readonly part?: string;
  /** What kind of thing it is. */
  readonly kind?: string;
  /** Where it belongs. */
  readonly up?: { readonly to: string; readonly name: string } | undefined;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

export function Page({ title, part, kind, up, actions, children }: PageProps): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // A field that wants the focus has it already.
    if (hasStepped() && document.activeElement?.matches("input, textarea, select") !== true) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <title>{`${part === undefined ? "" : `${part} of `}${title} – cloudlet-bundle`}</title>
      <div className="page-head">
        <div>
          {up !== undefined && <p className="up"><Link to={up.to}>{up.name}</Link></p>}
          {kind !== undefined && <p className="kind">{kind}</p>}
          <h1 ref={heading} tabIndex={-1}>{title}</h1>
        </div>
        {actions !== undefined && <div className="row">{actions}</div>}
      </div>
      {children}
    </>
  );
}

/** What was loaded, or why it was not, or that it is on its way. */
export function Ready<T>({ loaded, children }: { readonly loaded: Loaded<T>; readonly children: (value: T) => ReactNode }): ReactNode {
  if (loaded.value !== undefined) return <div className={loaded.isLoading ? "busy" : ""} aria-busy={loaded.isLoading}>{children(loaded.value)}</div>;
  if (loaded.problem !== undefined) return <Failed problem={loaded.problem} again={loaded.reload} />;
  return <p className="soft loading" role="status">Loading …</p>;
}

function Failed({ problem, again }: { readonly problem: ApiProblem; readonly again: () => void }): ReactNode {
  return (
    <ProblemNote problem={problem}>
      {problem.kind === "not-found" ? <p><Link to="/cloudlets">Go to the cloudlets</Link></p> : <p><button type="button" className="button small" onClick={again}>Try again</button></p>}
    </ProblemNote>
  );
}

/** Where there is nothing yet, what to do next. Its title is no heading: it may stand below one of any level. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }): ReactNode {
  return <div className="empty"><p className="empty-title">{title}</p>{children}</div>;
}
