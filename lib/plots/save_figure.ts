import { extname } from "node:path";
import { writeFileAtomic } from "../formats/atomic_write.ts";
import type { Figure } from "./figure.ts";
import { DRAW_FIGURES, figurePlace, forPlotly } from "./_plotly.ts";
import { plotlyLibrary } from "./plotly_library.ts";
import { htmlPage } from "./_html.ts";
import { renderSvg } from "./render_svg.ts";
import { escapeXml } from "./_svg.ts";

const STYLE = `body{margin:16px;font:16px system-ui,sans-serif}
@media (prefers-color-scheme:dark){body{background:#16181d;color:#e4e6ea}}`;

/**
 * Figures as a page that needs nothing else and can be zoomed; Plotly's library is in it once.
 *
 * @param figures from top to bottom
 * @param title of the page
 * @returns HTML, about 5 MB
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { figurePage, gantt } from "./mod.ts";
 *
 * const figure = gantt([{ lane: "camera", start: 0, end: 0.04 }]);
 * assert.match(figurePage([figure, figure], "Cycle"), /<title>Cycle<\/title>/);
 * ```
 */
export function figurePage(figures: readonly Figure[], title: string): string {
  const places = figures.map((figure) => figurePlace(forPlotly(figure), renderSvg(figure)));
  const head = `<style>${STYLE}</style>\n<script>${plotlyLibrary()}</script>`;
  const body = `${places.join("\n")}\n<script>${DRAW_FIGURES}</script>`;
  return htmlPage(escapeXml(title), head, body);
}

/**
 * Draws a figure as PNG, without a browser.
 *
 * @param figure of the kinds that `renderSvg` draws
 * @param options `scale`: pixels of the image per pixel of the figure, default 2
 * @returns the file's bytes, on white ground; its letters are those that this machine has
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { gantt, renderPng } from "./mod.ts";
 *
 * const png = await renderPng(gantt([{ lane: "camera", start: 0, end: 0.04 }]));
 * assert.deepEqual([...png.subarray(1, 4)], [0x50, 0x4e, 0x47]);
 * ```
 */
export async function renderPng(
  figure: Figure,
  options: { readonly scale?: number } = {},
): Promise<Uint8Array> {
  const { scale = 2 } = options;
  const { default: sharp } = await import("sharp"); // native, needed by few
  const svg = new TextEncoder().encode(renderSvg(figure));
  return await sharp(svg, { density: 72 * scale }).png({ palette: true }).toBuffer();
}

/**
 * Saves a figure: `.svg` and `.png` without a browser, `.html` as a page that can be zoomed.
 *
 * @param path its ending chooses
 * @param figure of the kinds that `renderSvg` draws
 * @throws {TypeError} for another ending
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { gantt, saveFigure } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/cycle.svg`;
 * await saveFigure(path, gantt([{ lane: "camera", start: 0, end: 0.04 }]));
 * assert.match(Deno.readTextFileSync(path), /camera/);
 * ```
 */
export async function saveFigure(path: string, figure: Figure): Promise<void> {
  switch (extname(path)) {
    case ".svg":
      return writeFileAtomic(path, renderSvg(figure));
    case ".html":
      return writeFileAtomic(path, figurePage([figure], figure.layout.title?.text ?? "figure"));
    case ".png": {
      const bytes = await renderPng(figure);
      return writeFileAtomic(path, (file) => {
        for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
      });
    }
    default:
      throw new TypeError(
        `Cannot save a figure as ${path}: its name must end with .svg, .png or .html.`,
      );
  }
}
