/** Cells of a picture: 8 rows of 16. */
export const COLUMNS = 16, ROWS = 8;

/**
 * Means of a picture over 8 rows of 16 equal cells. A pixel that a border cuts counts in each cell
 * with the area that lies in it.
 *
 * @param pixels `(height, width, 3)` RGB, 0 to 255
 * @param target `(8, 16, 3)` filled with mean / 127.5 − 1
 */
export function blockMeans(
  pixels: Uint8Array,
  width: number,
  height: number,
  target: Float32Array,
): void {
  const sums = new Float64Array(ROWS * COLUMNS * 3), line = new Float64Array(COLUMNS * 3);
  for (let y = 0; y < height; y++) {
    sumLine(pixels, 3 * y * width, width, line);
    const firstRow = Math.floor(y * ROWS / height);
    for (let row = firstRow; row < ROWS && row * height < (y + 1) * ROWS; row++) {
      const weight = overlap(y, row * height / ROWS, (row + 1) * height / ROWS);
      for (let i = 0, at = row * COLUMNS * 3; i < line.length; i++) {
        sums[at + i]! += weight * line[i]!;
      }
    }
  }
  const area = width / COLUMNS * (height / ROWS);
  for (let i = 0; i < sums.length; i++) target[i] = sums[i]! / area / 127.5 - 1;
}

/** Sums of one row of pixels over the 16 columns. */
function sumLine(pixels: Uint8Array, start: number, width: number, line: Float64Array): void {
  for (let column = 0; column < COLUMNS; column++) {
    const from = column * width / COLUMNS, to = (column + 1) * width / COLUMNS;
    const first = Math.ceil(from), last = Math.floor(to);
    let red = 0, green = 0, blue = 0;
    const add = (x: number) => {
      const weight = overlap(x, from, to), at = start + 3 * x;
      red += weight * pixels[at]!;
      green += weight * pixels[at + 1]!;
      blue += weight * pixels[at + 2]!;
    };
    if (first > from) add(first - 1);
    for (let at = start + 3 * first; at < start + 3 * last; at += 3) {
      red += pixels[at]!;
      green += pixels[at + 1]!;
      blue += pixels[at + 2]!;
    }
    if (last < to && last >= first) add(last);
    line[3 * column] = red;
    line[3 * column + 1] = green;
    line[3 * column + 2] = blue;
  }
}

/** Length of pixel `[at, at + 1)` within `[from, to)`. */
function overlap(at: number, from: number, to: number): number {
  return Math.min(at + 1, to) - Math.max(at, from);
}
