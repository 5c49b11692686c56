/** What is around every page: who is logged in, where one can go, and what was told. */

import type { ReactNode } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { useConsole, useMay, useMaySomewhere } from "./console.tsx";
import { Link, navigate, usePlace } from "./router.tsx";

export function Frame({ told, forget, children }: { readonly told: string; readonly forget: () => void; readonly children: ReactNode }): ReactNode {
  return (
    <>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>Go to the content</a>
      <header className="top">
        <Link to="/cloudlets" className="brand"><Mark />cloudlet-bundle</Link>
        <Places />
        <AccountMenu />
      </header>
      <main id="main" tabIndex={-1}>
        <div role="status" className="told-place">
          {told !== "" && <div className="note good told"><p>{told}</p><Button className="button small" aria-label="Close this message" onPress={forget}>Close</Button></div>}
        </div>
        {children}
      </main>
      <footer>Everything here comes from this service; nothing is fetched from elsewhere. <a href="/licences.txt">Licences</a> · <a href="/v1/openapi.json">API</a></footer>
    </>
  );
}

function Mark(): ReactNode {
  return (
    <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
      <rect width="32" height="32" rx="7" className="mark-ground" />
      <path d="M16 6l9 5v10l-9 5-9-5V11zM7 11l9 5 9-5M16 16v10" className="mark-line" />
    </svg>
  );
}

function Places(): ReactNode {
  const { path } = usePlace();
  const mayDo = useMay();
  const maySomewhere = useMaySomewhere();
  const places = [
    { to: "/cloudlets", name: "Cloudlets", isOffered: true },
    { to: "/bundles", name: "Bundles", isOffered: true },
    { to: "/releases", name: "Releases", isOffered: true },
    { to: "/organizations", name: "Organizations", isOffered: true },
    { to: "/people", name: "People", isOffered: mayDo("user:read") },
    { to: "/signing-keys", name: "Signing keys", isOffered: true },
    { to: "/audit-trail", name: "Audit trail", isOffered: maySomewhere("audit:read") },
  ].filter((each) => each.isOffered);
  const here = path === "/" ? "/cloudlets" : path.startsWith("/installations/") ? `/cloudlets${path}` : path;
  return (
    <nav aria-label="Main" className="places">
      <ul>{places.map(({ to, name }) => <li key={to}><Link to={to} aria-current={here === to ? "page" : here.startsWith(`${to}/`) ? "true" : undefined}>{name}</Link></li>)}</ul>
    </nav>
  );
}

function AccountMenu(): ReactNode {
  const { me, signOut } = useConsole();
  return (
    <MenuTrigger>
      <Button className="button account" aria-label={`${me.name}: account`}><span className="account-name">{me.name}</span><span aria-hidden="true">▾</span></Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label="Account" onAction={(key) => (key === "out" ? signOut() : navigate("/account"))}>
          <MenuItem id="account" className="menu-item">Password and API tokens</MenuItem>
          <MenuItem id="out" className="menu-item">Sign out</MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
