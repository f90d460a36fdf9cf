import type { Figure } from "./figure.ts";
import { forPlotly } from "./_plotly.ts";
import { renderSvg } from "./render_svg.ts";
import { escapeXml } from "./_svg.ts";

/** What Deno's kernel displays: the method of this name gives the same thing by kinds of media. */
export interface Displayable {
  /** Of `Symbol.for("Jupyter.display")`: data by kind of media. */
  readonly [method: symbol]: () => Record<string, unknown>;
}

/**
 * Shows a figure in a notebook: as the last expression of a cell, or through
 * `await Deno.jupyter.display(…)`. VS Code and exported pages draw Plotly's JSON, which can be zoomed;
 * where that is unknown (JupyterLab without Plotly's extension, code hosts) the drawing is shown. It is
 * an image, because code hosts and notebooks that are not trusted yet take SVG out of HTML.
 *
 * @param figure of the kinds that `renderSvg` draws
 * @returns what the kernel displays
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { gantt, show } from "./mod.ts";
 *
 * const shown = show(gantt([{ lane: "camera", start: 0, end: 0.04 }]));
 * const media = shown[Symbol.for("Jupyter.display")]!();
 * assert.deepEqual(Object.keys(media), ["application/vnd.plotly.v1+json", "text/html", "text/plain"]);
 * ```
 */
export function show(figure: Figure): Displayable {
  return {
    [Symbol.for("Jupyter.display")]: () => {
      const title = figure.layout.title?.text ?? "figure";
      const drawing = new TextEncoder().encode(renderSvg(figure)).toBase64();
      return {
        "application/vnd.plotly.v1+json": forPlotly(figure),
        "text/html": `<img alt="${escapeXml(title)}" src="data:image/svg+xml;base64,${drawing}">`,
        "text/plain": title,
      };
    },
  };
}
