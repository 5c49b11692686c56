/** Standard input into one buffer: process.stdin makes a new one for each piece, and of 10 GiB a hundred MiB are about at any time. */

import { fstatSync, read } from "node:fs";
import { Socket } from "node:net";
import { promisify } from "node:util";

/** What a pipe of Linux holds. Bytes. */
const inputBytes = 65_536;

/** Each piece is good until the next is asked for. */
export async function* piecesOfInput(): AsyncGenerator<Uint8Array> {
  const what = fstatSync(0);
  yield* what.isFIFO() || what.isSocket() ? fromPipe() : fromFile();
}

async function* fromPipe(): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(inputBytes);
  let came: (count: number) => void = () => undefined;
  let failed: (error: Error) => void = () => undefined;
  let broken: Error | undefined;
  const callback = (count: number): boolean => {
    came(count);
    // Nothing more until it is asked for.
    return false;
  };
  const socket = new Socket({ fd: 0, readable: true, writable: false, onread: { buffer, callback } });
  socket.on("end", () => came(0)).on("error", (error) => failed((broken = error)));
  try {
    for (;;) {
      if (broken !== undefined) throw broken;
      const count = await new Promise<number>((resolve, reject) => {
        [came, failed] = [resolve, reject];
        socket.resume();
      });
      if (count === 0) return;
      yield buffer.subarray(0, count);
    }
  } finally {
    socket.destroy();
  }
}

async function* fromFile(): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(inputBytes);
  for (;;) {
    const { bytesRead } = await promisify(read)(0, buffer, 0, inputBytes, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
