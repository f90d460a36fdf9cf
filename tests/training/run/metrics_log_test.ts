import assert from "node:assert/strict";
import { MetricsLog, readMetrics } from "../../../lib/training/run/metrics_log.ts";
import { temporaryPath } from "../../_temporary.ts";

const file = () => temporaryPath("metrics.jsonl");
const write = (path: string, steps: readonly number[]) => {
  using log = MetricsLog.open(path);
  for (const step of steps) log.append({ global_step: step, "train/loss_step": 1 / step });
};
const stepsOf = (path: string) => readMetrics(path).map(({ global_step }) => global_step);

Deno.test("MetricsLog drops a line that was cut anywhere, and goes on behind the last whole one", () => {
  const path = file();
  write(path, [1, 2, 3]);
  const whole = Deno.readFileSync(path);
  const second = whole.indexOf(10, whole.indexOf(10) + 1) + 1;
  for (let cut = second; cut < whole.length; cut++) {
    Deno.writeFileSync(path, whole.subarray(0, cut));
    write(path, [4]);
    assert.deepEqual(stepsOf(path), [1, 2, 4], `cut at byte ${cut}`);
  }
});

Deno.test("MetricsLog removes what was written after the step a run goes on from", () => {
  const path = file();
  write(path, [1, 2, 3, 4, 5]);
  MetricsLog.open(path, { upToStep: 3 })[Symbol.dispose]();
  assert.deepEqual(stepsOf(path), [1, 2, 3]);
});

Deno.test("MetricsLog refuses a file that is none, names the line, and leaves it as it was", () => {
  const path = file();
  for (const bad of ["hello", "[1]", '{"loss":1}', "null", '{"global_step":"NaN"}']) {
    const text = `{"global_step":1}\n${bad}\n{"global_step":2}\n`;
    Deno.writeTextFileSync(path, text);
    assert.throws(() => MetricsLog.open(path), /line 2 of .*metrics\.jsonl/);
    assert.equal(Deno.readTextFileSync(path), text);
  }
});

Deno.test("MetricsLog keeps numbers that are not finite readable", () => {
  const path = file();
  using log = MetricsLog.open(path);
  log.append({ global_step: 1, "train/loss_step": NaN, "val/loss_epoch": null, best: Infinity });
  assert.deepEqual(readMetrics(path), [
    { global_step: 1, "train/loss_step": "NaN", "val/loss_epoch": null, best: "Infinity" },
  ]);
});
