/** The cloudlets on a map of the world that the service brings itself. */

import { useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type MouseEvent, type ReactNode, type RefObject } from "react";
import { geoGraticule10, geoNaturalEarth1, geoPath, type GeoProjection } from "d3-geo";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import world from "world-atlas/countries-110m.json";
import { useLoaded } from "../console.tsx";
import { follow, Link, usePlace } from "../router.tsx";
import { Ready } from "../parts/page.tsx";
import { allOf } from "../parts/pages.tsx";
import { CloudletTag, platformName } from "../parts/words.tsx";
import { CloudletsPage, filterQuery, Filters, NoCloudlets } from "./cloudlets.tsx";
import { namesShown } from "../map/names.ts";
import { groupsOf, limitsOf, type Group, type Located } from "../map/groups.ts";

const topology = world as unknown as Topology<{ readonly countries: GeometryCollection }>;
const land = feature(topology, topology.objects.countries);
const size = { width: 1_000, height: 500 };
/** More are no picture any more; the table has all of them. */
const shownAtMost = 2_000;

/** How much larger a marker is drawn than the picture, so that a finger finds it on a telephone. */
function useScale(): { readonly place: RefObject<HTMLElement | null>; readonly scale: number } {
  const place = useRef<HTMLElement>(null);
  const [scale, setScale] = useState(1);
  useLayoutEffect(() => {
    const box = place.current;
    if (box === null) return;
    const measure = (): void => setScale(Math.min(4, Math.max(1, size.width / Math.max(1, box.clientWidth))));
    measure();
    const watching = new ResizeObserver(measure);
    watching.observe(box);
    return () => watching.disconnect();
  }, []);
  return { place, scale };
}

export function CloudletMap(): ReactNode {
  const place = usePlace();
  const query = filterQuery(place, ["name"]);
  const loaded = useLoaded(`/v1/locations${query}`, (api, signal) => allOf<Located>(api, `/v1/locations${query}`, shownAtMost, signal));
  return (
    <CloudletsPage isMap>
      <Filters place={place} withName={false} />
      <Ready loaded={loaded}>{(items) => items.length === 0 ? <section className="card"><NoCloudlets isFiltered={query !== ""} /></section> : <World key={query} items={items} />}</Ready>
    </CloudletsPage>
  );
}

/** `null` is the whole world; else what is to be in the picture. */
type View = { readonly west: number; readonly east: number; readonly south: number; readonly north: number } | null;

function World({ items }: { readonly items: readonly Located[] }): ReactNode {
  const [view, setView] = useState<View>(null);
  const [chosen, setChosen] = useState<Group>();
  const { place, scale } = useScale();
  const projection = useMemo(() => projectionFor(view), [view]);
  const drawn = useMemo(() => {
    const path = geoPath(projection);
    return { sea: path({ type: "Sphere" }) ?? "", grid: path(geoGraticule10()) ?? "", land: path(land) ?? "" };
  }, [projection]);
  const groups = useMemo(() => groupsOf(items, (each) => projection([each.longitude, each.latitude]), size, 26 * scale), [items, projection, scale]);
  const told = useMemo(() => namesShown(groups.map((group) => {
    const width = nameOf(group, scale).length * characterWidth * scale;
    return { key: group.key, x: group.x, y: group.y, radius: radiusOf(group) * scale, width: isLeft(group, scale) ? -width : width };
  })), [groups, scale]);
  const list = useRef<HTMLDivElement>(null);
  const choose = (group: Group): void => {
    const limits = limitsOf(group.items);
    const canGoNearer = limits.east - limits.west > 0.02 || limits.north - limits.south > 0.02;
    if (canGoNearer && (view === null || limits.east - limits.west < (view.east - view.west) * 0.8)) return setView(widened(limits));
    setChosen(group);
    setTimeout(() => list.current?.focus());
  };
  return (
    <>
      <section className="map" aria-label="Map" ref={place}>
        <svg viewBox={`0 0 ${size.width} ${size.height}`} role="group" aria-label={`Map of the world with ${items.length} ${items.length === 1 ? "cloudlet" : "cloudlets"}`}>
          <path className="sea" d={drawn.sea} />
          <path className="grid" d={drawn.grid} />
          <path className="land" d={drawn.land} />
          {groups.map((group) => <Marker key={group.key} group={group} scale={scale} isTold={told.has(group.key)} choose={choose} />)}
        </svg>
        <div className="map-tools">
          <button type="button" className="button small" onClick={() => setView(widened(limitsOf(items)))}>Fit</button>
          <button type="button" className="button small" disabled={view === null} onClick={() => setView(null)}>World</button>
        </div>
      </section>
      <ul className="legend"><li><i />defined</li><li><i className="installed" />installed</li><li><i className="removed" />removed</li><li className="soft">A number: so many beside one another. Choose it to look nearer.</li></ul>
      {items.length >= shownAtMost && <p className="soft">The map has the first {shownAtMost}. Filter to see the others.</p>}
      {chosen !== undefined && (
        <div className="card" ref={list} tabIndex={-1} role="region" aria-label="Cloudlets at this place">
          <h2>Here</h2>
          <ul className="plain-list">{chosen.items.map((each) => <li key={each.id}><Link to={`/cloudlets/${each.id}`}>{each.name}</Link> <span className="soft">{each.organization}, {platformName(each.platform)}</span> <CloudletTag state={each.state} /></li>)}</ul>
        </div>
      )}
    </>
  );
}

/** Of the bold sans-serif of 13 units, about. */
const characterWidth = 8;

function radiusOf({ items }: Group): number {
  return items.length === 1 ? 8 : 13;
}

/** Near the right edge the name goes to the left. */
function isLeft({ x }: Group, scale: number): boolean {
  return x > size.width * (scale > 1.5 ? 0.5 : 0.75);
}

function nameOf({ items }: Group, scale: number): string {
  const [only] = items;
  if (items.length === 1 && only !== undefined) return scale > 1.5 ? shortened(only.name) : `${shortened(only.name)}, ${only.organization}`;
  return `${items.slice(0, 2).map((each) => shortened(each.name)).join(", ")}${items.length > 2 ? ", …" : ""}`;
}

/** A name of 80 characters would go over half of the world; its link has the whole. */
function shortened(name: string): string {
  return name.length > 26 ? `${name.slice(0, 25)}…` : name;
}

/** `isTold`: there is room for its name; else it shows when the marker is pointed at, or has the focus. */
function Marker({ group, scale, isTold, choose }: { readonly group: Group; readonly scale: number; readonly isTold: boolean; readonly choose: (group: Group) => void }): ReactNode {
  const { x, y, items } = group;
  const [only] = items;
  if (only === undefined) return null;
  const toLeft = isLeft(group, scale);
  const transform = `translate(${x} ${y}) scale(${scale})`;
  const radius = radiusOf(group);
  const name = <text className="name" x={toLeft ? -radius - 5 : radius + 5} y={5} textAnchor={toLeft ? "end" : "start"} aria-hidden="true">{nameOf(group, scale)}</text>;
  const look = isTold ? " told" : "";
  if (items.length === 1) {
    const to = `/cloudlets/${only.id}`;
    return (
      <g transform={transform}>
        <a href={to} className={`marker ${only.state}${look}`} aria-label={`${only.name}, ${only.organization}, ${only.state}`} onClick={(event: MouseEvent) => follow(event, to)}>
          <circle r={radius} />{name}
        </a>
      </g>
    );
  }
  const state = items.every((each) => each.state === only.state) ? only.state : "defined";
  const press = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(group);
  };
  return (
    <g role="button" tabIndex={0} className={`marker ${state}${look}`} transform={transform} aria-label={`${items.length} cloudlets: ${nameOf(group, scale)}`} onClick={() => choose(group)} onKeyDown={press}>
      <circle r={radius} /><text className="count" y="4" aria-hidden="true">{items.length}</text>{name}
    </g>
  );
}

function projectionFor(view: View): GeoProjection {
  const projection = geoNaturalEarth1();
  if (view === null) return projection.fitSize([size.width, size.height], { type: "Sphere" });
  projection.rotate([-(view.west + view.east) / 2, 0]);
  return projection.fitExtent([[60, 60], [size.width - 60, size.height - 60]], { type: "MultiPoint", coordinates: [[view.west, view.south], [view.east, view.north], [view.west, view.north], [view.east, view.south]] });
}

/** So that one tells where it is: at least some degrees, with room around. */
function widened({ west, east, south, north }: NonNullable<View>): View {
  const wide = Math.max((east - west) * 0.15, (8 - (east - west)) / 2, 0.1);
  const high = Math.max((north - south) * 0.15, (5 - (north - south)) / 2, 0.1);
  return { west: west - wide, east: east + wide, south: Math.max(-89, south - high), north: Math.min(89, north + high) };
}
