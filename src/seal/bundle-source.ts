/** A bundle as someone received it: one file, or the folder it was unpacked into. The edge reads and hashes. */

export type BundleSource = ArchiveSource | FolderSource;

export interface ArchiveSource extends Reader {
  readonly kind: "archive";
  /** Bytes. */
  readonly size: number;
  /** Hears where the small files end: of what comes through a pipe, no more is kept. */
  readonly smallEnd?: (offset: number) => void;
}

export interface FolderSource extends Reader {
  readonly kind: "folder";
  /** Everything below the folder, in no particular order; links are not followed. */
  readonly entries: readonly FolderEntry[];
}

export interface FolderEntry {
  /** Relative to the folder, `/` between parts. */
  readonly path: string;
  readonly type: "file" | "folder" | "other";
  /** Permission bits with set-user-ID, set-group-ID and sticky bit. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
}

export interface Reader {
  /** For what is small. */
  read(place: Place): Promise<Uint8Array>;
  /** SHA-256 of each place, 64 lower-case hexadecimal digits; as parallel as the machine allows. */
  hash(places: readonly Place[]): Promise<readonly string[]>;
}

/** Bytes from `start` up to, not including, `end`, of the archive ("") or of a file of the folder. */
export interface Place {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** A file of the bundle, in whichever form it came. */
export interface Found {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  /** Seconds since the Epoch; undefined in a folder, where it depends on how it was unpacked. */
  readonly mtime: number | undefined;
  readonly place: Place;
}
