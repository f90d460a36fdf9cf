import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { drawLatencies, fitLatency, latencySummary } from "../../lib/evaluation/mod.ts";
import { readCsv } from "../../lib/formats/mod.ts";

const PUBLISHED = fileURLToPath(
  new URL("../../data-fixtures/evaluation/vision_latencies.csv", import.meta.url),
);

Deno.test("the published latencies lie on the published line", () => {
  const { columns } = readCsv(PUBLISHED, { columns: ["tokens", "mean_ms"] });
  const fit = fitLatency(columns.tokens, columns.mean_ms);
  assert.equal(fit.baseMs.toFixed(1), "22.3");
  assert.equal(fit.perTokenMs.toFixed(3), "0.242");
  assert.equal(fit.rSquared.toFixed(4), "0.9996");
  assert.equal(fit.worstMs.toFixed(0), "18");
});

Deno.test("the line is numpy.polyfit's, and an exact line is found exactly", () => {
  // numpy.polyfit([1, 2, 4, 7], [3, 5, 4, 11], 1)
  const fit = fitLatency([1, 2, 4, 7], [3, 5, 4, 11]);
  assert(Math.abs(fit.perTokenMs - 1.2142857142857144) < 1e-12);
  assert(Math.abs(fit.baseMs - 1.5) < 1e-12);
  const exact = fitLatency([10, 20, 50], [25, 45, 105]);
  assert.deepEqual([exact.baseMs, exact.perTokenMs, exact.rSquared], [5, 2, 1]);
  assert.equal(fitLatency([1, 2], [7, 7]).rSquared, 1);
});

Deno.test("a line needs two numbers of tokens and finite latencies", () => {
  assert.throws(() => fitLatency([5, 5], [1, 2]), RangeError);
  assert.throws(() => fitLatency([1, 2], [1]), /current value is 2 and 1/);
  assert.throws(() => fitLatency([1, 2], [1, NaN]), RangeError);
});

Deno.test("drawn latencies have the percentiles that were asked for, and are the same twice", () => {
  const asked = { p50: 4, p95: 9, seed: 3, stage: "answer", count: 50_000 };
  const drawn = drawLatencies(asked);
  const { p50, p95 } = latencySummary(drawn);
  assert(Math.abs(p50 / 4 - 1) < 0.02 && Math.abs(p95 / 9 - 1) < 0.02, `${p50}, ${p95}`);
  assert.deepEqual(drawLatencies(asked), drawn);
  assert.notDeepEqual(drawLatencies({ ...asked, stage: "other" }), drawn);
  assert.deepEqual(new Set(drawLatencies({ ...asked, p95: 4 })), new Set([4]));
  assert.throws(() => drawLatencies({ ...asked, p95: 3 }), /at least the median/);
  assert.throws(() => drawLatencies({ ...asked, count: -1 }), /whole number/);
});
