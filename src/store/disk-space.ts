/** A disk that is full, or would be: said before the first byte where the size is known, and with figures. */

import type { StatsFs } from "node:fs";
import { EnvironmentError } from "../core/environment-error.ts";

/** A store keeps this much of the disk free when it takes something whose size is known. */
const reserveBytes = 16 * 1024 * 1024;

type AskDisk = (folder: string) => Promise<StatsFs>;

/** Throws an EnvironmentError where the disk of `folder` can't hold `size` bytes more. */
export async function refuseFullDisk(statfs: AskDisk, folder: string, size: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < size + reserveBytes) throw diskFull(folder, bavail * bsize, size);
}

/** The EnvironmentError that a failed write should be, where the disk or the quota is used up; else the error itself. */
export async function orDiskFull(error: unknown, statfs: AskDisk, folder: string): Promise<unknown> {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  const { bavail, bsize } = await statfs(folder);
  return diskFull(folder, bavail * bsize, undefined, error);
}

function diskFull(folder: string, free: number, needed?: number, cause?: unknown): EnvironmentError {
  const needs = needed === undefined ? "" : `, ${needed} are needed`;
  return new EnvironmentError(`the disk of the blob store is full: ${free} bytes are free${needs} (${folder})`, {
    hint: "make room (cloudlet-bundle store clean), or use another --store",
    cause,
  });
}
