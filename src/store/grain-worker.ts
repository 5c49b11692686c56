/** A thread that packs windows of one disk image: takes a window and memory to write into, gives its framed grains. */

import { openSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { GrainPacker, type FramedGrains, type Window } from "./disks/grains.ts";
import { UnusableDisk } from "./disks/unusable-disk.ts";

export interface GrainsWanted {
  readonly id: number;
  readonly window: Window;
  /** Comes back with the grains in it, or with the failure. */
  readonly memory: ArrayBuffer;
}

export interface GrainsMade {
  readonly id: number;
  readonly memory: ArrayBuffer;
  readonly made:
    | (Omit<FramedGrains, "bytes"> & { readonly size: number })
    /** `isDisk`: the image is at fault, not the machine. */
    | { readonly failed: string; readonly isDisk: boolean };
}

const packer = new GrainPacker(openSync(String(workerData), "r"));

parentPort?.on("message", ({ id, window, memory }: GrainsWanted) => {
  const reply: GrainsMade = { id, memory, made: made(window, memory) };
  parentPort?.postMessage(reply, [memory]);
});

function made(window: Window, memory: ArrayBuffer): GrainsMade["made"] {
  try {
    const { bytes, indexes, sectors } = packer.pack(window, new Uint8Array(memory));
    return { size: bytes.byteLength, indexes, sectors };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error), isDisk: error instanceof UnusableDisk };
  }
}
