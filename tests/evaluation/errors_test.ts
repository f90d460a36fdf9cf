import assert from "node:assert/strict";
import { evaluateChunks, readPredictionsFile } from "../../lib/evaluation/mod.ts";
import { compareWithBaselines, type Comparison } from "../../lib/evaluation/mod.ts";
import { assertErrors, formulaChunks, GREEN_POINT, recorded } from "./_fixture.ts";

function assertComparison({ model, baselines }: Comparison, expected: typeof recorded.formula) {
  assertErrors(model, expected.model!);
  assertErrors(baselines.zero, expected.zero!);
  assertErrors(baselines.mean, expected.mean!);
  assertErrors(baselines.holdLast, expected.holdLast!);
}

Deno.test("errors of masked chunks are NumPy's, per dimension, step and path", () => {
  const chunks = formulaChunks();
  const comparison = compareWithBaselines(chunks);
  assertComparison(comparison, recorded.formula);
  assert.equal(comparison.baselines.holdLast.windows, 32);
});

Deno.test("Euler differences are composed from the start's orientation", () => {
  const { model } = compareWithBaselines(formulaChunks(40));
  assertErrors(model.pathRotation!, recorded.formula.eulerRotation!, 1e-9);
});

Deno.test("rotation vectors are composed step by step in the tool frame", () => {
  const chunks = formulaChunks();
  const units = ["mm", "mm", "mm", "rad", "rad", "rad", "1"];
  const { model } = compareWithBaselines({ ...chunks, units, rotation: "vector" });
  assertErrors(model.pathRotation!, recorded.formula.vectorRotation!, 1e-9);
});

Deno.test("a published policy is worse than holding the last action, to four digits", () => {
  const { chunks, flags, meanSource, warnings } = readPredictionsFile(GREEN_POINT);
  const evaluation = evaluateChunks(chunks, flags, { meanSource });
  assertComparison(evaluation, recorded.green_point);
  assertErrors(evaluation.model.pathRotation!, recorded.green_point.vectorRotation!, 1e-9);
  assert.equal(evaluation.model.rmse.toFixed(4), "0.2273");
  assert.equal(evaluation.baselines.holdLast.rmse.toFixed(4), "0.0339");
  assert.deepEqual([evaluation.windows, evaluation.baselines.holdLast.windows], [245, 244]);
  assert.equal(evaluation.beatsBaselines, false);
  assert.equal(evaluation.meanSource, "this file's own mean");
  assert.equal(evaluation.rmseUnit, "mixed");
  assert.deepEqual(evaluation.units.slice(2, 5), ["mm", "rad", "rad"]);
  assert.deepEqual(warnings, []);
  assert(evaluation.warnings.some((text) => text.includes("hold last action")));
});

Deno.test("the document holds the fields that scripts rely on, as JSON", () => {
  const document = JSON.parse(JSON.stringify(evaluateChunks(formulaChunks())));
  assert.equal(document.windows, 37);
  assert.equal(document.horizon, 5);
  assert.equal(document.dimensions.length, 7);
  const { model, baselines: { zero, mean, holdLast } } = document;
  for (const errors of [model, zero, mean, holdLast]) {
    assert.equal(typeof errors.rmse, "number");
    assert.equal(errors.perDimension.length, 7);
    assert.equal(errors.perStep.length, 5);
  }
  assert.equal(document.beatsBaselines, true);
});

Deno.test("padding, whatever it holds, changes nothing", () => {
  const chunks = formulaChunks();
  const isPadding = (i: number) => chunks.mask[Math.floor(i / chunks.dimensions.length)] === 0;
  const truth = chunks.truth.map((value, i) => isPadding(i) ? NaN : value);
  assert.deepEqual(evaluateChunks({ ...chunks, truth }), evaluateChunks(chunks));
  const predicted = chunks.predicted.map((value, i) => isPadding(i) ? 1e6 : value);
  assert.deepEqual(compareWithBaselines({ ...chunks, predicted }), compareWithBaselines(chunks));
});

Deno.test("parts of the windows are evaluated as if they were alone", () => {
  const chunks = formulaChunks();
  const hasSensor = Uint8Array.from({ length: 37 }, (_, w) => +(w % 3 > 0));
  const isDecision = new Uint8Array(37);
  const group = Array.from({ length: 37 }, (_, w) => w < 10 ? "part1" : "New_dataset");
  const { sensor, decision, groups } = evaluateChunks(chunks, { hasSensor, isDecision, group });
  const without = compareWithBaselines(chunks, [...hasSensor.keys()].filter((w) => w % 3 === 0));
  assert.deepEqual(sensor!.without, without);
  assert.equal(decision, null, "no window is a decision window");
  assert.deepEqual(groups.map(({ name, windows }) => [name, windows]), [
    ["New_dataset", 27],
    ["part1", 10],
  ]);
});

Deno.test("a value that is not finite is an error that names window, step and dimension", () => {
  const chunks = formulaChunks();
  const predicted = chunks.predicted.slice();
  predicted[(5 * 5 + 2) * 7 + 1] = NaN;
  assert.throws(
    () => evaluateChunks({ ...chunks, predicted }),
    /prediction of window 5, step 2, dy must be finite, current value is NaN/,
  );
  assert.throws(() => evaluateChunks({ ...chunks, windows: 0 }), /there must be windows/);
  assert.throws(() => evaluateChunks({ ...chunks, counted: [7] }), /counted must name/);
  assert.throws(
    () => evaluateChunks(chunks, { hasSensor: new Uint8Array(3) }),
    /hasSensor must hold 37 values, current value is 3/,
  );
});
