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
export * from "./alignment_charts.ts";
export * from "./chunk_overlay.ts";
export * from "./embedding_scatter.ts";
export * from "./error_charts.ts";
export * from "./evaluation_charts.ts";
export * from "./figure.ts";
export * from "./heat_charts.ts";
export * from "./latency_charts.ts";
export * from "./latency_scaling.ts";
export { HEAT_SCALE, PALETTE, type SeriesColour, STREAM_COLOURS } from "./palette.ts";
export * from "./path_charts.ts";
export * from "./plotly_library.ts";
export * from "./render_svg.ts";
export * from "./run_charts.ts";
export * from "./save_figure.ts";
export * from "./show.ts";
export * from "./show_images.ts";
export * from "./show_table.ts";
export {
  intervalHistogram,
  type IntervalSeries,
  type StreamLane,
  streamTimeline,
} from "./stream_charts.ts";
export * from "./thin_series.ts";
export { type TimedSeries, type TimeRow, timeSeries, type TimeSeriesInput } from "./time_series.ts";
export * from "./value_histogram.ts";
