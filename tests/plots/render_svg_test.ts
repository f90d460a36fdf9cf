import assert from "node:assert/strict";
import fc from "fast-check";
import { type Figure, PALETTE, renderSvg, type Trace } from "../../lib/plots/mod.ts";
import { linearTicks, logTicks, tickTexts } from "../../lib/plots/_ticks.ts";
import { assertWellFormed, attributes } from "./_markup.ts";

const line = (y: (number | null)[], more: Partial<Trace> = {}): Trace =>
  ({ type: "scatter", mode: "lines", x: y.map((_, i) => i), y, ...more }) as Trace;

/** The points of all paths of series, in pixels. */
function paths(svg: string): number[][][] {
  return [...svg.matchAll(/<path d="(M[^"]*L[^"]*)"/g)].map(([, d]) =>
    d!.split(/[ML]/).slice(1).map((pair) => pair.split(" ").map(Number))
  );
}

Deno.test("points lie where the ticks say", () => {
  const svg = renderSvg({ data: [line([0, 10, 5])], layout: {} });
  assertWellFormed(svg);
  const [[first, second, third]] = paths(svg) as [number[][]];
  const ticks = [...svg.matchAll(/<text x="[\d.]+" y="([\d.]+)" text-anchor="end">(\d+)<\/text>/g)];
  const at = new Map(ticks.map(([, y, text]) => [Number(text), Number(y) - 4]));
  assert(Math.abs(first![1]! - at.get(0)!) < 0.2, "0 lies at its tick");
  assert(Math.abs(second![1]! - at.get(10)!) < 0.2, "10 lies at its tick");
  assert(Math.abs(third![1]! - (at.get(0)! + at.get(10)!) / 2) < 0.2, "5 lies between");
  assert(Math.abs(second![0]! - (first![0]! + third![0]!) / 2) < 0.2, "x is linear");
});

Deno.test("a logarithmic axis is logarithmic", () => {
  const figure: Figure = { data: [line([0.1, 1, 10])], layout: { yaxis: { type: "log" } } };
  const [points] = paths(renderSvg(figure)) as [number[][]];
  const [a, b, c] = points!.map(([, y]) => y!);
  assert(Math.abs((a! - b!) - (b! - c!)) < 0.2, "decades are equally long");
});

Deno.test("null interrupts a line, and a point between two holes is drawn as a point", () => {
  const svg = renderSvg({ data: [line([1, 2, null, 3, null, 4, 5])], layout: {} });
  const d = svg.match(/<path d="(M[^"]*L[^"]*)"/)![1]!;
  assert.equal(d.match(/M/g)!.length, 3);
  assert.equal(svg.match(/<circle/g)!.length, 1);
});

Deno.test("bars of one place stand side by side, from zero, as high as their values", () => {
  const bar = (name: string, y: number[]): Trace => ({ type: "bar", name, x: ["dx", "dy"], y });
  const svg = renderSvg({ data: [bar("a", [1, 2]), bar("b", [4, -1])], layout: {} });
  assertWellFormed(svg);
  const bars = svg.slice(svg.lastIndexOf("<svg")); // without ground and legend
  const x = attributes(bars, "rect", "x"), heights = attributes(bars, "rect", "height");
  const widths = attributes(bars, "rect", "width");
  const [a, b, c, d] = heights as [number, number, number, number];
  assert(Math.abs(b / a - 2) < 0.05 && Math.abs(c / a - 4) < 0.05 && Math.abs(d / a - 1) < 0.05);
  assert(x[0]! + widths[0]! <= x[2]! && x[2]! + widths[2]! <= x[1]!, `${x}: a, b of dx, then dy`);
});

Deno.test("a point at no finite place does not stretch the axis, and interrupts the line", () => {
  const trace = (x: number[]) => renderSvg({ data: [line([1, 2, 3, 4], { x })], layout: {} });
  const svg = trace([1000, 1001, NaN, 1003]);
  assert(paths(trace([1000, 1001, 1002, 1003]))[0]![3]![0]! > 600, "the axis ends at the last");
  const [[first, second]] = paths(svg) as [number[][]];
  assert(second![0]! - first![0]! > 190, `${first} and ${second} are a third apart`);
  assert.equal(paths(svg)[0]!.length, 3);
  assertWellFormed(trace([NaN, Infinity, -Infinity, NaN]));
});

Deno.test("a trace of many points is drawn", () => {
  const values = Array.from({ length: 150_000 }, (_, i) => i);
  assert(paths(renderSvg({ data: [line(values)], layout: {} }))[0]!.length === values.length);
  const bars: Trace = {
    type: "bar",
    orientation: "h",
    x: values,
    y: values.map((i) => `${i % 3}`),
  };
  assert(renderSvg({ data: [bars], layout: {} }).endsWith("</svg>"));
});

Deno.test("texts cannot become markup, whatever they hold", () => {
  const evil = `</svg><script>alert("x")</script>&\u0000`;
  const svg = renderSvg({
    data: [line([1, 2], { name: evil }), line([2, 1], { name: "b" })],
    layout: { title: { text: evil }, xaxis: { title: { text: evil } } },
  });
  assertWellFormed(svg);
  assert(!svg.includes("<script") && !svg.includes("\u0000"), svg);
});

Deno.test("any data make a well-formed figure: empty, constant, huge, tiny, not finite", () => {
  const value = fc.oneof(
    fc.double(),
    fc.constantFrom(0, -0, NaN, Infinity, 1e300, -1e300, 5e-324, null),
  );
  fc.assert(
    fc.property(
      fc.array(fc.array(value, { maxLength: 6 }), { maxLength: 4 }),
      fc.boolean(),
      fc.constantFrom("scatter", "bar", "lying bar"),
      (series, isLog, kind) => {
        const data = series.map((y, i): Trace => {
          const trace = { x: y.map((_, k) => k), y, name: `s${i}` };
          if (kind === "lying bar") {
            const names = y.map((_, k) => `${k}`.repeat(1 + 40 * (k % 3)));
            return { type: "bar", orientation: "h", x: y, y: names, name: `s${i}` };
          }
          return kind === "bar"
            ? { type: "bar", ...trace }
            : { type: "scatter", mode: "lines+markers", ...trace };
        });
        const layout = { yaxis: { type: isLog ? "log" as const : "linear" as const } };
        assertWellFormed(renderSvg({ data, layout }));
      },
    ),
    { seed: 6, numRuns: 400 },
  );
});

Deno.test("a series keeps its colour in all panels, and colours have sisters for dark ground", () => {
  const panel = (x: "x" | "x2", y: "y" | "y2", name: string) =>
    line([1, 2], { name, xaxis: x, yaxis: y });
  const svg = renderSvg({
    data: [panel("x", "y", "a"), panel("x", "y", "b"), panel("x2", "y2", "b")],
    layout: { xaxis: { domain: [0, 0.4] }, xaxis2: { domain: [0.6, 1] } },
  });
  const strokes = [...svg.matchAll(/<path d="M[^"]*L[^"]*"[^>]*stroke="([^"]*)"/g)].map((m) =>
    m[1]
  );
  assert.equal(strokes.length, 3);
  assert.equal(strokes[1], strokes[2]);
  assert.notEqual(strokes[0], strokes[1]);
  assert(svg.includes(`.stroke-policy{stroke:${PALETTE.policy.dark}}`), "dark sister");
});

Deno.test("ticks are round, inside, few, and their texts are the numbers", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      (low, span) => {
        const ticks = linearTicks(low, low + span, 6);
        assert(ticks.length <= 8, `${ticks}`);
        const slack = 1e-6 * span + 1e-9 * Math.abs(low);
        assert(
          ticks.every((tick) => tick >= low - slack && tick <= low + span + slack),
          `${ticks}`,
        );
        if (span > 1e-3) {
          const texts = tickTexts(ticks).map((text) => Number(text.replace("−", "-")));
          texts.forEach((value, i) => assert(Math.abs(value - ticks[i]!) <= slack, `${ticks}`));
        }
      },
    ),
    { seed: 7, numRuns: 500 },
  );
  assert.deepEqual(linearTicks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(logTicks(-2, 1), [0.01, 0.1, 1, 10]);
  assert.deepEqual(logTicks(-1.4, 0), [0.05, 0.1, 0.2, 0.5, 1]);
  assert.deepEqual(logTicks(Math.log10(0.31), Math.log10(0.79)), [0.4, 0.6]);
});
