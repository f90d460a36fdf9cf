import assert from "node:assert/strict";
import {
  evaluateChunks,
  formatEvaluation,
  readPredictionsFile,
  reportPage,
} from "../../lib/evaluation/mod.ts";
import { assertWellFormed } from "../plots/_markup.ts";
import { formulaChunks, GREEN_POINT } from "./_fixture.ts";

const file = readPredictionsFile(GREEN_POINT);
const evaluation = evaluateChunks(file.chunks, file.flags, file);
const errors = (p50: number | null) => ({ p50, p95: p50, max: p50, missing: 0 });

Deno.test("a report is one well-formed page that loads nothing", () => {
  const html = reportPage({
    title: "Run <1>",
    subject: [["checkpoint", "runs/a/best"], ["data", "sha-256 12ab"]],
    evaluation,
    chunks: file.chunks,
    metrics: [{ global_step: 1, "train/loss_step": 1 }, { global_step: 2, "train/loss_step": 0.5 }],
    shares: [
      { name: "part1", requestedShare: 0.5, realisedShare: 0.5 },
      { name: "part2", requestedShare: 0.5, realisedShare: 0.5 },
    ],
    closedLoop: [{
      name: "policy, every 0.8 s",
      report: {
        episodes: 40,
        successRate: 0.975,
        failures: { lateral: 1 },
        lateralErrorMm: errors(0.13),
        depthErrorMm: errors(null),
      },
    }],
    warnings: ["Two cameras <were> missing."],
  });
  assertWellFormed(html);
  assert(!/<script|<link|<img|src=|href=|url\(|@import/.test(html), "loads something");
  assert(html.length < 200_000, `${html.length} characters`);
  const expected = [
    "Run &lt;1&gt;",
    "Two cameras &lt;were&gt; missing.",
    "0.2273",
    "0.03390",
    "6.705 times the error of hold last action",
    "97.5 %",
    "1 lateral",
    "sha-256 12ab",
    "do not follow the moment",
    "prefers-color-scheme:dark",
    "@media print",
  ];
  for (const text of expected) assert(html.includes(text), text);
  assert.equal(html.match(/<svg xmlns/g)!.length, 6);
});

Deno.test("sections without contents are left out", () => {
  const html = reportPage({ title: "nothing yet" });
  assertWellFormed(html);
  assert(!html.includes("<section>"), html);
});

Deno.test("a good policy is said to be good, in mm and degrees", () => {
  const chunks = formulaChunks();
  const time = Float64Array.from({ length: 37 }, (_, i) => 0.1 * i);
  const good = evaluateChunks({ ...chunks, time });
  const html = reportPage({ title: "good", evaluation: good, chunks: { ...chunks, time } });
  assertWellFormed(html);
  assert.match(html, /class="verdict good">Better than every baseline/);
  assert.match(html, /RMSE, translation \(mm\)/);
  assert.match(html, /RMSE, rotation \(deg\)/);
  assert(!html.includes('class="warnings"'), "no warnings");
});

Deno.test("what says the same as the row of all windows is left out", () => {
  const chunks = formulaChunks();
  const all = new Uint8Array(37).fill(1), group = Array<string>(37).fill("Blue_point");
  const one = evaluateChunks(chunks, { hasSensor: all, group });
  const shares = [{ name: "others", requestedShare: 1, realisedShare: 1 }];
  const html = reportPage({ title: "one group", evaluation: one, shares });
  for (const text of [html, formatEvaluation(one)]) {
    assert(!/with sensor|Blue_point|>others<|Share of samples/.test(text), "repeats all windows");
  }
  assert(!formatEvaluation(one).includes("parts of the windows"), "a table of all alone");
  const hasSensor = all.slice().fill(0, 0, 9);
  const text = formatEvaluation(evaluateChunks(chunks, { hasSensor, group }));
  assert.match(text, /^all .* 37\nwith sensor .* 28\nwithout sensor .* 9$/m);
});

Deno.test("every column of the tables has a name that says what it is", () => {
  const text = formatEvaluation(evaluation);
  assert.match(text, /^method +RMSE +MAE +path mm +path mm p95 +path deg/m);
  assert.match(text, /Path is how far.* Skill is 1 −/);
  assert(!/^ {2}/m.test(text.split("\n").filter((line) => /policy/.test(line)).join("\n")), text);
});

Deno.test("moments that were left out are explained where there are any", () => {
  const chunks = formulaChunks();
  const page = (hole: number) => {
    const time = Float64Array.from({ length: 37 }, (_, i) => 0.5 * i + (i > 9 ? hole : 0));
    return reportPage({ title: "holes", evaluation, chunks: { ...chunks, time } });
  };
  assert.match(page(1.3), /disturbances \(the robot was pushed\)/);
  assert.doesNotMatch(page(0), /disturbances/);
});
