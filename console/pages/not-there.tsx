/** An address under which there is nothing. */

import type { ReactNode } from "react";
import { Page } from "../parts/page.tsx";
import { Link } from "../router.tsx";

export function NotThere(): ReactNode {
  return <Page title="There is no such page"><div className="card"><p>The address may be misspelt. <Link to="/cloudlets">Go to the cloudlets.</Link></p></div></Page>;
}
