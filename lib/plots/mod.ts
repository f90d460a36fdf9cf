/**
 * Figures as plain objects with Plotly's names, and a renderer to SVG that needs no browser.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { renderSvg, shareBars } from "./mod.ts";
 *
 * const shares = [{ name: "New_dataset", requestedShare: 0.6, realisedShare: 0.61 }];
 * assert.match(renderSvg(shareBars(shares)), /61 %/);
 * ```
 *
 * @module
 */
export * from "./chunk_overlay.ts";
export * from "./error_charts.ts";
export * from "./figure.ts";
export * from "./palette.ts";
export * from "./render_svg.ts";
export * from "./run_charts.ts";
