import assert from "node:assert/strict";
import {
  chunkOverlay,
  errorBars,
  type Figure,
  type HorizontalBarTrace,
  lossCurves,
  lossOverlay,
  renderSvg,
  shareBars,
  stepErrors,
  successBars,
} from "../../lib/plots/mod.ts";
import { assertWellFormed, attributes } from "./_markup.ts";

const series = [
  { name: "policy", role: "policy" as const, values: [0.1, 0.2, 0.3, 1] },
  { name: "hold last action", role: "holdLast" as const, values: [0.2, NaN, 0.4, 1] },
];
const dimensions = ["dx", "dy", "da", "gripper"], units = ["mm", "mm", "deg", "1"];

const figures: Record<string, Figure> = {
  errorBars: errorBars({ dimensions, units, series }),
  stepErrors: stepErrors({
    panels: [{ title: "translation", unit: "mm", series }, {
      title: "rotation",
      unit: "deg",
      series,
    }],
  }),
  chunkOverlay: chunkOverlay({
    ...{ title: "chunks", dimensions, units, starts: [0, 0.8], horizon: 2, mask: [1, 1, 1, 0] },
    series: [{
      name: "recorded",
      role: "truth",
      values: Float64Array.from({ length: 16 }, (_, i) => i),
    }],
  }),
  lossCurves: lossCurves([
    { global_step: 1, "train/loss_step": 0.5, "train/lr": null },
    { global_step: 2, "train/loss_step": 0.25 },
    { global_step: 2, "val/loss_epoch": 0.3, "val/best_loss": 0.3 },
    { note: "torn" },
  ]),
  lossOverlay: lossOverlay(
    Array.from({ length: 15 }, (_, i) => ({
      name: `run ${i}`,
      rows: i === 3 ? [] : [
        {
          global_step: 1,
          "train/loss_step": 9,
          "train/loss_epoch": 0.5,
          "val/loss_epoch": 0.5 + i,
        },
        { global_step: 2, "train/loss_epoch": 0.4, "val/loss_epoch": null },
        { global_step: 3, "train/loss_epoch": 0.3, "val/loss_epoch": 0.25 + i },
      ],
    })),
    "validation",
  ),
  shareBars: shareBars([
    { name: "White_silicone_white_circle", requestedShare: 0.5, realisedShare: 0.49 },
    { name: "part1", requestedShare: 0.5, realisedShare: 0.51 },
  ]),
  successBars: successBars([{ name: "policy", episodes: 40, successRate: 0.95 }]),
};

for (const [name, figure] of Object.entries(figures)) {
  Deno.test(`${name} draws, with units on its axes, and is plain data`, () => {
    const svg = renderSvg(figure);
    assertWellFormed(svg);
    assert.deepEqual(JSON.parse(JSON.stringify(figure)), figure);
    for (const [key, axis] of Object.entries(figure.layout)) {
      const title = (axis as { title?: { text: string } }).title?.text;
      if (!/^[xy]axis/.test(key) || title === undefined) continue;
      assert(svg.includes(`>${title}</text>`), title);
      assert.match(title, /\((mm|deg|s|log scale)\)|samples|succeed|step/);
    }
  });
}

Deno.test("each unit has its own axis, constant dimensions have none", () => {
  const { data, layout } = figures.errorBars!;
  assert.deepEqual(data.map(({ yaxis, x, y }) => [yaxis, x, y]), [
    ["y", ["dx", "dy"], [0.1, 0.2]],
    ["y", ["dx", "dy"], [0.2, null]],
    ["y2", ["da"], [0.3]],
    ["y2", ["da"], [0.4]],
  ]);
  assert.equal(layout.yaxis2!.title!.text, "RMSE (deg)");
  assert.deepEqual(data.map(({ showlegend }) => showlegend), [true, true, false, false]);
});

Deno.test("what was recorded is a pale band below the policy's line", () => {
  const values = [0.1, 0.2];
  const { data } = chunkOverlay({
    ...{ title: "", dimensions: ["dx"], units: ["mm"], starts: [0], horizon: 2 },
    series: [{ name: "recorded", role: "truth", values }, {
      name: "policy",
      role: "policy",
      values,
    }],
  });
  const svg = renderSvg({ data, layout: {} });
  const lines = svg.slice(svg.lastIndexOf("<svg"));
  const [band, line] = attributes(lines, "path", "stroke-width");
  assert(band! > 2 * line!, `${band} ${line}`);
  assert.deepEqual(attributes(lines, "path", "stroke-opacity").map((value) => value < 0.5), [true]);
});

Deno.test("names beside lying bars are whole, in order, and apart; lengths are the values", () => {
  const names = ["policy, every 0.8 s", "White_silicone_white_circle", "expert", "hold", "a", "b"];
  const rates = [1, 0.5, 1, 0.25, 0, 0.975];
  const rows = names.map((name, i) => ({ name, episodes: 40, successRate: rates[i]! }));
  const svg = renderSvg(successBars(rows));
  assertWellFormed(svg);
  const at = names.map((name) => {
    const [, x, y] = svg.match(`<text x="([\\d.]+)" y="([\\d.]+)" text-anchor="end">${name}<`)!;
    return [Number(x), Number(y)] as const;
  });
  assert(at.every(([x], i) => x - 6 * names[i]!.length >= 0), "nothing is cut at the left");
  assert(at.slice(1).every(([, y], i) => y - at[i]![1] >= 14), `${at}`);
  const [, whole, half, again, quarter, none] = attributes(svg, "rect", "width");
  assert.equal(whole, again);
  assert(Math.abs(half! / whole! - 0.5) < 0.01 && Math.abs(quarter! / whole! - 0.25) < 0.01);
  assert.equal(none, 0);
});

Deno.test("chunks lie at their times, one line each, without what is masked", () => {
  const { data } = figures.chunkOverlay!;
  assert.equal(data.length, 3);
  assert.deepEqual(data[0]!.x, [0, 0.1, 0.1, 0.8, 0.9, 0.9]);
  assert.deepEqual(data[0]!.y, [0, 4, null, 8, null, null]);
});

Deno.test("confidence intervals are Wilson's", () => {
  // SciPy 1.17.1: binomtest(38, 40).proportion_ci(method="wilson") is 0.8350 to 0.9862.
  const { error_x } = figures.successBars!.data[0] as HorizontalBarTrace;
  assert(Math.abs(0.95 - error_x!.arrayminus[0]! - 0.8350) < 1e-4, `${error_x!.arrayminus[0]}`);
  assert(Math.abs(0.95 + error_x!.array[0]! - 0.9862) < 1e-4, `${error_x!.array[0]}`);
});

Deno.test("of metrics only steps with a loss are drawn", () => {
  const [training, validation] = figures.lossCurves!.data;
  assert.deepEqual([training!.x, training!.y], [[1, 2], [0.5, 0.25]]);
  assert.deepEqual([validation!.x, validation!.y], [[2], [0.3]]);
  assert.deepEqual(lossCurves([]).data, []);
});

Deno.test("lossOverlay names twelve runs that differ in colour or dash, and lays the others behind", () => {
  const { data } = figures.lossOverlay!;
  assert.equal(data.length, 14); // one has no loss
  assert.deepEqual(data[0]!.y, [13.5, 13.25]);
  assert.deepEqual(data.map(({ showlegend }) => showlegend), [
    ...Array(2).fill(false),
    ...Array(12).fill(true),
  ]);
  const looks = data.slice(2).map((trace) => trace.type === "scatter" && trace.line);
  assert.equal(new Set(looks.map((look) => JSON.stringify(look))).size, 12);
  assert.deepEqual(data.slice(2).map(({ name }) => name).slice(0, 4), [
    ...["run 0", "run 1", "run 2", "run 4"],
  ]);
});
