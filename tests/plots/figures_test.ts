import assert from "node:assert/strict";
import type { Data, Layout } from "plotly.js-dist-min";
import {
  type Axis,
  type Figure,
  figurePage,
  renderPng,
  renderSvg,
  saveFigure,
  show,
  STREAM_COLOURS,
} from "../../lib/plots/mod.ts";
import { FIGURES } from "./_figures.ts";
import { assertWellFormed } from "./_markup.ts";
import { temporaryFolder } from "../_temporary.ts";

const SNAPSHOTS = new URL("../../data-fixtures/plots/", import.meta.url);

for (const [name, make] of Object.entries(FIGURES)) {
  Deno.test(`${name} is drawn as it was when somebody looked at it`, () => {
    const svg = renderSvg(make());
    assertWellFormed(svg);
    const file = new URL(`${name}.svg`, SNAPSHOTS);
    if (Deno.env.get("TROCAR_SNAPSHOTS") === "write") Deno.writeTextFileSync(file, svg);
    assert.equal(withoutImages(svg), withoutImages(Deno.readTextFileSync(file)));
    assert.equal(svg, renderSvg(make()));
  });

  Deno.test(`${name} has a heading, says what is along its axes, and is small`, () => {
    const figure = make(), { layout } = figure;
    assert(layout.title!.text.length > 0, "no heading");
    const axes = Object.entries({ ...layout, ...layout.scene })
      .filter(([key]) => /^[xyz]axis/.test(key)).map(([key, axis]) => [key, axis as Axis] as const);
    const isNamed = (letter: string) =>
      axes.some(([key, axis]) =>
        key.startsWith(letter) && (axis.title ?? axis.ticktext ?? axis.automargin) !== undefined
      );
    assert(isNamed("x") && isNamed("y"), "an axis without a name");
    assert(JSON.stringify(figure).length < 150_000, "a large figure");
  });
}

/** Compression may differ from release to release; what it holds is tested by itself. */
function withoutImages(svg: string): string {
  return svg.replace(/base64,[\w+/=]+/g, "base64,");
}

Deno.test("figures are what Plotly takes", () => {
  // Plotly's types ask for lists that may be changed, which it does not do.
  type Mutable<T> = T extends string | number | boolean | null | undefined ? T
    : { -readonly [K in keyof T]: Mutable<T[K]> };
  const figure = FIGURES.loss_curves!() as Mutable<Figure>;
  const data: Partial<Data>[] = figure.data as Data[], layout = figure.layout as Partial<Layout>;
  assert.equal(data[0]!.type, "scatter");
  assert.equal((layout.xaxis as { title: { text: string } }).title.text, "optimizer step");
});

Deno.test("a figure is shown in notebooks as Plotly's JSON and as a drawing, without the library", () => {
  for (const make of Object.values(FIGURES)) {
    const media = show(make())[Symbol.for("Jupyter.display")]!();
    const { data, layout } = media["application/vnd.plotly.v1+json"] as Figure;
    assert.deepEqual(data, make().data);
    assert.equal(layout.title!.text, make().layout.title!.text);
    const html = String(media["text/html"]);
    const [, base64] = html.match(/^<img alt="[^"]+" src="data:image\/svg\+xml;base64,([^"]+)">$/)!;
    assert.equal(new TextDecoder().decode(Uint8Array.fromBase64(base64!)), renderSvg(make()));
    assert(JSON.stringify(media).length < 200_000, "a large output");
  }
});

Deno.test("a page holds the library once and needs nothing from the network", () => {
  const hostile: Figure = {
    data: [{ type: "scatter", mode: "lines", name: "</script><b>", x: [0, 1], y: [1, 2] }],
    layout: { title: { text: "a < b" } },
  };
  const page = figurePage([FIGURES.force!(), hostile], "Two & more");
  assert.equal(page.match(/plotly\.js v\d/g)!.length, 1);
  assert.equal(page.match(/<div class="figure">/g)!.length, 2);
  assert(!page.includes("</script><b>"), "a name ends the script");
  assert(!/<(script|link|img)[^>]*(src|href)=/.test(page), "something is loaded");
  assert.match(page, /<title>Two &amp; more<\/title>/);
});

Deno.test("figures are saved as SVG, PNG and page, others are refused", async () => {
  const folder = temporaryFolder(), figure = FIGURES.m_mode!();
  await saveFigure(`${folder}/a.svg`, figure);
  assert.equal(Deno.readTextFileSync(`${folder}/a.svg`), renderSvg(figure));
  await saveFigure(`${folder}/a.png`, figure);
  const png = new DataView(Deno.readFileSync(`${folder}/a.png`).buffer);
  assert.deepEqual([png.getUint32(16), png.getUint32(20)], [2 * 680, 2 * 400]);
  await saveFigure(`${folder}/a.html`, figure);
  assert.match(Deno.readTextFileSync(`${folder}/a.html`), /Plotly\.newPlot/);
  await assert.rejects(saveFigure(`${folder}/a.pdf`, figure), TypeError);
});

Deno.test("the cells of a large heat map are the pixels of its image", async () => {
  const columns = 60, rows = 40; // more than are drawn one by one
  const z = Array.from(
    { length: rows },
    (_, r) =>
      Array.from({ length: columns }, (_, c) => r === 3 && c === 50 ? 1 : r === 10 ? null : 0),
  );
  const figure: Figure = {
    data: [{
      type: "heatmap",
      x: Array.from({ length: columns }, (_, c) => c),
      y: Array.from({ length: rows }, (_, r) => r),
      z,
      ...{ zmin: 0, zmax: 1, showscale: false },
      colorscale: [[0, "#000000"], [1, "#ff0000"]],
    }],
    layout: {
      width: 64 + 14 + 600,
      height: 500,
      xaxis: { range: [-0.5, columns - 0.5] },
      yaxis: { range: [rows - 0.5, -0.5] },
    },
  };
  const svg = renderSvg(figure);
  const place = svg.match(/<image x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/)!;
  const [left, top, width, height] = place.slice(1).map(Number) as [number, number, number, number];
  assert.deepEqual([left, width], [64, 600]);
  const { default: sharp } = await import("sharp");
  const { data, info } = await sharp(await renderPng(figure, { scale: 1 })).removeAlpha().raw()
    .toBuffer({ resolveWithObject: true });
  const pixel = (c: number, r: number) => {
    const x = Math.round(left + (c + 0.5) * width / columns);
    const y = Math.round(top + (r + 0.5) * height / rows);
    const at = (y * info.width + x) * info.channels;
    return [...data.subarray(at, at + 3)];
  };
  assert(
    pixel(50, 3)[0]! > 200 && pixel(50, 3)[1]! < 40,
    "the peak is red, third row from the top",
  );
  assert(pixel(49, 3).every((part) => part < 40), "its neighbour is black");
  assert(pixel(20, 10).every((part) => part > 200), "without a value: the ground");
});

/** Linear RGB as seen with a complete deficiency (Machado, Oliveira and Fernandes, 2009, table 1). */
const DEFICIENCIES: Readonly<Record<string, readonly (readonly number[])[]>> = {
  none: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [
    -0.003882,
    -0.048116,
    1.051998,
  ]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [
    -0.01182,
    0.04294,
    0.968881,
  ]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [
    0.004733,
    0.691367,
    0.3039,
  ]],
};

function lab(colour: string, matrix: readonly (readonly number[])[]): number[] {
  const linear = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = matrix.map((row) =>
    Math.min(1, Math.max(0, row.reduce((sum, weight, i) => sum + weight * linear[i]!, 0)))
  ) as [number, number, number];
  const f = (t: number) => t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116;
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

Deno.test("colours of streams stay apart for readers with colour blindness", () => {
  for (const [name, matrix] of Object.entries(DEFICIENCIES)) {
    for (const ground of ["light", "dark"] as const) {
      const seen = STREAM_COLOURS.map((colour) => lab(colour[ground], matrix));
      seen.forEach((a, i) =>
        seen.slice(i + 1).forEach((b, k) => {
          const distance = Math.hypot(...a.map((part, d) => part - b[d]!));
          assert(
            distance >= 15,
            `${name}, ${ground}: colours ${i} and ${i + 1 + k}, ${distance.toFixed(1)}`,
          );
        })
      );
    }
  }
});
