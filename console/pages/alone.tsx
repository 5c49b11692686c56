/** A page of its own, without the frame: there is nobody yet to show it to. */

import { useEffect, useRef, type ReactNode } from "react";
import { hasStepped } from "../router.tsx";

export function Alone({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (hasStepped()) heading.current?.focus();
  }, []);
  return (
    <main className="alone">
      <title>{`${title} – cloudlet-bundle`}</title>
      <p className="kind">cloudlet-bundle</p>
      <h1 ref={heading} tabIndex={-1}>{title}</h1>
      {children}
    </main>
  );
}
