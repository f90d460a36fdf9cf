import assert from "node:assert/strict";
import {
  confusionMatrix,
  type Figure,
  gantt,
  latencyScaling,
  mMode,
  renderSvg,
  streamTimeline,
  timeSeries,
  valueHistogram,
} from "../../lib/plots/mod.ts";
import { assertWellFormed } from "./_markup.ts";

const MILLION = 1_000_000;

function seriesOf(time: ArrayLike<number>, values: ArrayLike<number>): Figure {
  return timeSeries({
    title: "Robot",
    rows: [{ title: "x", unit: "mm", series: [{ name: "x", time, values }] }],
  });
}

/** How far the points of the first line reach from left to right, in pixels. */
function widthOf(svg: string): number {
  const d = /<path d="(M[^"]*L[^"]*)"[^>]*stroke="#0072b2"/.exec(svg)![1]!;
  const places = d.split(/[ML]/).slice(1).map((pair) => Number(pair.split(" ")[0]));
  return places.at(-1)! - places[0]!;
}

for (const odd of [NaN, Infinity, -Infinity]) {
  Deno.test(`a million samples whose first or last time is ${odd} are drawn`, () => {
    for (const place of [0, MILLION - 1]) {
      const time = Float64Array.from({ length: MILLION }, (_, i) => i / 100);
      time[place] = odd;
      const figure = seriesOf(time, time.map((_, i) => Math.sin(i / 1e5)));
      assert(figure.data[0]!.x.length <= 3000, `${figure.data[0]!.x.length} points`);
      assert((figure.layout.xaxis?.range ?? [0]).every(Number.isFinite), "a finite axis");
      const width = widthOf(renderSvg(figure));
      assert(width > 550, `the line is ${width} pixels long`);
    }
  });
}

Deno.test("where rows share an axis, a time that is infinite does not empty the figure", () => {
  const series = [{ name: "x", time: [0, 1, 2, Infinity], values: [1, 2, 3, 4] }];
  const row = { title: "x", unit: "mm", series };
  const figure = timeSeries({ title: "Robot", rows: [row, { ...row, title: "y" }] });
  assert.deepEqual(figure.layout.xaxis!.range, [0, 2]);
  assert(widthOf(renderSvg(figure)) > 550);
});

Deno.test("a million samples of which every second is no number are drawn with few points", () => {
  const time = Float64Array.from({ length: MILLION }, (_, i) => i);
  const figure = seriesOf(time, time.map((_, i) => i % 2 === 0 ? NaN : 1));
  assert(figure.data[0]!.x.length <= 3100, `${figure.data[0]!.x.length} points`);
  assert(widthOf(renderSvg(figure)) > 550);
});

Deno.test("fifty thousand gaps, and as many spans and measurements, are drawn", () => {
  const many = Array.from({ length: 150_000 }, (_, i) => i);
  const gaps = many.slice(0, 50_000).map((i) => ({ start: i, seconds: 0.5 }));
  const timeline = streamTimeline([{ name: "robot", start: 0, end: 50_000, gaps }]);
  assert.equal(timeline.data[2]!.x.length, 50_000);
  assert(renderSvg(timeline).endsWith("</svg>"));
  const spans = many.map((i) => ({ lane: "camera", start: i, end: i + 0.5 }));
  assert.deepEqual(gantt(spans).data[0]!.x, [0, 500, 500]);
  const groups = [{ name: "a", tokens: many, milliseconds: many }];
  const fit = { baseMs: 1, perTokenMs: 1 };
  assert.deepEqual(latencyScaling({ groups, fit }).data[0]!.x, [0, 149_999]);
});

Deno.test("counts that are no numbers are a dash, the others keep their shares", () => {
  const figure = confusionMatrix(["a", "b"], [NaN, 1, 2, 6]);
  const svg = renderSvg(figure);
  assertWellFormed(svg);
  assert(!svg.includes("NaN"), "NaN is in the drawing");
  assert.equal(svg.match(/>–</g)?.length, 1);
  const [heat] = figure.data;
  assert(heat!.type === "heatmap");
  assert.deepEqual(heat!.z, [[null, 1], [0.25, 0.75]]);
});

Deno.test("a histogram without bins, with parts of one or with too many is refused", () => {
  const input = { title: "Norms", axis: "norm (1)", counted: "features", values: [1, 2, 3] };
  for (const bins of [0, -1, 1.5, NaN, Infinity, 1e9]) {
    assert.throws(
      () => valueHistogram({ ...input, bins }),
      (error: Error) =>
        error instanceof RangeError && error.message.includes(`current value is ${bins}.`),
    );
  }
  assert.deepEqual(valueHistogram({ ...input, bins: 1 }).data[0]!.y, [3]);
});

Deno.test("one sample that is no number leaves the others of its depth in the M-mode", () => {
  const values = [1, 10, NaN, 20, 5, 60];
  const [heat] = mMode({ time: [0, 1, 2], depths: 2, values, removeBackground: true }).data;
  assert(heat!.type === "heatmap");
  assert.deepEqual(heat!.z, [[-2, null, 2], [-20, -10, 30]]);
});
