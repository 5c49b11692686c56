/** Two pictures compared as somebody sees them from a step away: squares of colour, not the edges of letters. */

import type { Page } from "playwright-core";

/** Pixels. */
const square = 16;
/** Of 255, in red, green or blue of a square's mean: a card that has moved, not a word that has changed. */
const tolerance = 20;

/** The share of squares that differ, from 0 to 1; 1 where the sizes do. `page` has nothing in it, and decodes them. */
export async function differingShare(page: Page, one: Buffer, other: Buffer): Promise<number> {
  const script = `(async ([one, other, square, tolerance]) => {
    const read = async (text) => {
      const image = await createImageBitmap(await (await fetch("data:image/png;base64," + text)).blob());
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      return context.getImageData(0, 0, image.width, image.height);
    };
    const [a, b] = [await read(one), await read(other)];
    if (a.width !== b.width || a.height !== b.height) return 1;
    const mean = ({ data, width, height }, left, top, part) => {
      let [sum, count] = [0, 0];
      for (let y = top; y < Math.min(top + square, height); y += 1) for (let x = left; x < Math.min(left + square, width); x += 1, count += 1) sum += data[(y * width + x) * 4 + part];
      return sum / count;
    };
    let [all, differing] = [0, 0];
    for (let y = 0; y < a.height; y += square) {
      for (let x = 0; x < a.width; x += square) {
        all += 1;
        if ([0, 1, 2].some((part) => Math.abs(mean(a, x, y, part) - mean(b, x, y, part)) > tolerance)) differing += 1;
      }
    }
    return differing / all;
  })(${JSON.stringify([one.toString("base64"), other.toString("base64"), square, tolerance])})`;
  return page.evaluate(script);
}
