import type { Figure } from "./figure.ts";
import { COLOURS } from "./palette.ts";
import { GROUND } from "./_svg.ts";

const DARK_OF = Object.fromEntries([...COLOURS.values()].map(({ light, dark }) => [light, dark]));

/**
 * A script for pages: draws the figure that stands as JSON in each element of class `figure`, in the
 * reader's light or dark mode.
 */
export const DRAW_FIGURES = `
const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
const darkOf = ${JSON.stringify(DARK_OF)};
const ground = { paper_bgcolor: "${GROUND.dark}", plot_bgcolor: "${GROUND.dark}",
  font: { color: "#e4e6ea" } };
for (const place of document.querySelectorAll(".figure")) {
  const text = place.querySelector("script").textContent;
  const { data, layout } = JSON.parse(isDark ? text.replace(/#[0-9a-f]{6}/g, (c) => darkOf[c] ?? c) : text);
  const axes = Object.keys(layout).filter((key) => /^[xy]axis/.test(key));
  if (isDark) for (const key of axes) layout[key].gridcolor = "#31353d";
  const div = place.appendChild(document.createElement("div"));
  Plotly.newPlot(div, data, isDark ? { ...layout, ...ground } : layout,
    { responsive: true, displaylogo: false });
}`;

/**
 * An element that `DRAW_FIGURES` draws.
 *
 * @param figure as Plotly takes it
 * @param fallback HTML where no scripts run
 */
export function figurePlace(figure: unknown, fallback: string): string {
  const json = JSON.stringify(figure).replaceAll("<", "\\u003c"); // ends no script
  return `<div class="figure"><script type="application/json">${json}</script>` +
    `<noscript>${fallback}</noscript></div>`;
}

/** Where a figure in space is seen from, so far away that a narrow, high one fits too. */
const FAR = { x: 2.7, y: 2.7, z: 1.2 };

/**
 * The figure with the places that `renderSvg` gives to heading and legend, which Plotly would put in the
 * middle and at the right.
 */
export function forPlotly({ data, layout }: Figure) {
  const { title, scene } = layout;
  return {
    data,
    layout: {
      ...layout,
      ...(title === undefined ? {} : { title: { ...title, x: 0.02, font: { size: 16 } } }),
      ...(scene === undefined ? {} : { scene: { ...scene, camera: { eye: FAR } } }),
      height: layout.height ?? 340,
      margin: { l: 70, r: 20, t: 76, b: 50 },
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom" },
    },
  };
}
