/** Figures and times as a reader of the report wants them, the same in every locale. */

/** 1234567 as `1,234,567`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** In the largest unit of which there is one at least. */
export function bytesText(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1_024 ** power).toFixed(1)} ${units[power]}`;
}

/** RFC 3339 in UTC as `2026-11-24 00:00:00 UTC`. */
export function timeText(time: string): string {
  return time.replace("T", " ").replace("Z", " UTC");
}
