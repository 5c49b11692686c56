/** A page of its own, without the frame: there is nobody yet to show it to. Its form takes the focus. */

import type { ReactNode } from "react";

export function Alone({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <main className="alone">
      <title>{`${title} – cloudlet-bundle`}</title>
      <p className="kind">cloudlet-bundle</p>
      <h1>{title}</h1>
      {children}
    </main>
  );
}
