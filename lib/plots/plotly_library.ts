/**
 * Plotly's library, 4.8 MB: what a page with figures that can be zoomed holds once.
 *
 * @returns the JavaScript of `plotly.js-dist-min`, fit to stand in a `script` element
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { plotlyLibrary } from "./mod.ts";
 *
 * assert.match(plotlyLibrary().slice(0, 200), /plotly\.js/);
 * ```
 */
export function plotlyLibrary(): string {
  const url = new URL(import.meta.resolve("plotly.js-dist-min/plotly.min.js"));
  return Deno.readTextFileSync(url).replaceAll("</script", "<\\/script");
}
