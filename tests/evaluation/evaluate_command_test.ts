import assert from "node:assert/strict";
import { GREEN_POINT } from "./_fixture.ts";
import { temporaryPath } from "../_temporary.ts";

async function evaluate(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/evaluate.ts", ...args],
    cwd: new URL("../..", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

Deno.test("evaluate --predictions prints one document, and writes the report", async () => {
  const report = temporaryPath("report.html");
  const { code, stdout, stderr } = await evaluate(
    ...["--predictions", GREEN_POINT, "--json", "--report", report],
  );
  assert.equal(code, 0, stderr);
  const document = JSON.parse(stdout);
  assert.equal(document.model.rmse.toFixed(4), "0.2273");
  assert.equal(document.baselines.holdLast.rmse.toFixed(4), "0.0339");
  assert.equal(document.beatsBaselines, false);
  assert.match(stderr, /warning: The policy, with RMSE 0\.2273, is no better than/);
  assert.match(stderr, /this file's own mean/);
  assert.match(Deno.readTextFileSync(report), /<h1>Audit of predictions<\/h1>/);
});

Deno.test("evaluate without --json prints tables", async () => {
  const { code, stdout } = await evaluate("--predictions", GREEN_POINT, "--quiet");
  assert.equal(code, 0);
  assert.match(stdout, /hold last action +0\.03390/);
  assert.match(stdout, /dy +mm +0\.5250/);
});

Deno.test("evaluate ends with 2 for wrong usage, with 1 for a damaged file", async () => {
  assert.equal((await evaluate()).code, 2);
  const both = await evaluate("--predictions", GREEN_POINT, "--run", "runs/a");
  assert.equal(both.code, 2);
  assert.match(both.stderr, /--predictions and --run/);
  assert.equal((await evaluate("--predictions", GREEN_POINT, "--data", "x")).code, 2);
  const path = temporaryPath("bad.json");
  Deno.writeTextFileSync(path, `{"samples": [{}]}`);
  const damaged = await evaluate("--predictions", path);
  assert.equal(damaged.code, 1);
  assert.match(damaged.stderr, /samples\[0\]\.gt_delta_actions/);
  const other = await evaluate("--predictions", "README.md");
  assert.equal(other.code, 1);
  assert.match(
    other.stderr,
    /^[^\n]*README\.md: it must be a JSON file[^\n]*samples\[\]\.gt_delta_actions and samples\[\]\.pred_delta_actions[^\n]*\n$/,
  );
});
