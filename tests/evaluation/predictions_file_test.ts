import assert from "node:assert/strict";
import { parsePredictions, readPredictionsFile } from "../../lib/evaluation/mod.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const chunk = (value: number, steps = 2) => Array.from({ length: steps }, () => [value, 0, 0]);
const sample = (value: number, more = {}) => ({
  gt_delta_actions: chunk(value),
  pred_delta_actions: chunk(value + 1),
  ...more,
});

function write(text: string): string {
  const path = temporaryPath("predictions.json");
  Deno.writeTextFileSync(path, text);
  return path;
}

Deno.test("damaged files are refused with the sample and the place in it", () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [[], /it must be an object, current value is \[\]/],
    [{}, /samples must be a list, current value is nothing/],
    [{ samples: [] }, /samples must not be empty/],
    [{ samples: [null] }, /samples\[0\]\.gt_delta_actions must be a list of actions/],
    [{ samples: [{ gt_delta_actions: [] }] }, /samples\[0\]\.gt_delta_actions must be a list/],
    [{ samples: [sample(1), {}] }, /samples\[1\]\.gt_delta_actions must hold 2 actions.*nothing/],
    [
      { samples: [sample(1), sample(2, { pred_delta_actions: chunk(2, 3) })] },
      /samples\[1\]\.pred_delta_actions must hold 2 actions, as samples\[0\], current value is 3/,
    ],
    [
      { samples: [sample(1, { pred_delta_actions: [[1, 2, 3], [1, 2]] })] },
      /samples\[0\]\.pred_delta_actions\[1\] must hold 3 numbers, current value is 2/,
    ],
    [
      { samples: [sample(1, { pred_delta_actions: [[1, 2, 3], [1, "2", 3]] })] },
      /samples\[0\]\.pred_delta_actions\[1\]\[1\] must be a finite number, current value is "2"/,
    ],
    [{ samples: [sample(1, { gt_delta_actions: { __proto__: [[1]] } })] }, /must be a list/],
  ];
  for (const [value, message] of cases) {
    assert.throws(() => readPredictionsFile(write(JSON.stringify(value))), (error: Error) => {
      assert(error instanceof SyntaxError, error.name);
      assert.match(error.message, message);
      assert.match(error.message, /predictions\.json/);
      return true;
    });
  }
});

Deno.test("NaN and Infinity, as Python writes them, are named with their sample", () => {
  const text = JSON.stringify({ samples: [sample(1), sample(7)] });
  const place =
    /samples\[1\]\.gt_delta_actions\[0\]\[0\] must be a finite number, current value is /;
  for (const word of ["NaN", "Infinity", "-Infinity", "1e999"]) {
    const at = text.lastIndexOf(`"gt_delta_actions":[[7`) + `"gt_delta_actions":[[`.length;
    const path = write(text.slice(0, at) + word + text.slice(at + 1));
    assert.throws(() => readPredictionsFile(path), place);
  }
});

Deno.test("what is no JSON, no file, or too large is refused at once", () => {
  assert.throws(() => readPredictionsFile(write(`{"samples": [`)), /Cannot read the predictions/);
  assert.throws(() => readPredictionsFile(write("")), SyntaxError);
  assert.throws(() => readPredictionsFile(temporaryFolder()), /it must be a file/);
  assert.throws(() => readPredictionsFile("/no/such.json"), /there is no such file/);
  const path = write("");
  Deno.truncateSync(path, 3 * 2 ** 30); // takes no space
  assert.throws(() => readPredictionsFile(path), /at most 134217728 bytes/);
});

Deno.test("any damage to a file is a SyntaxError or leaves finite predictions", () => {
  const text = JSON.stringify({ samples: [sample(1), sample(2)], rmse_overall: 1 });
  let seed = 1;
  const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  const bytes = `{}[]",:0123456789.-e nulltrue`;
  for (let i = 0; i < 3000; i++) {
    const at = random(text.length), length = random(4);
    const damaged = text.slice(0, at) + bytes.charAt(random(bytes.length)) +
      text.slice(at + length);
    try {
      const { chunks } = readPredictions(damaged);
      assert([...chunks.truth, ...chunks.predicted].every(Number.isFinite), damaged);
    } catch (error) {
      assert(error instanceof SyntaxError, `${error} at ${damaged}`);
    }
  }
  function readPredictions(json: string) {
    return parsePredictions(JSON.parse(json));
  }
});

Deno.test("each episode's first window has no last action, and its own group", () => {
  const samples = ["a", "a", "b", "b"].map((episode_id, i) => sample(i, { episode_id }));
  const { chunks, flags, warnings } = parsePredictions({ samples });
  assert.deepEqual(Array.from({ length: 4 }, (_, w) => chunks.lastAction[3 * w]), [NaN, 0, NaN, 2]);
  assert.deepEqual([...chunks.episode], [0, 0, 1, 1]);
  assert.deepEqual(flags.group, ["a", "a", "b", "b"]);
  assert(warnings.some((text) => text.includes("do not follow each other")), warnings.join());
});

Deno.test("doubts about a file are said: missing keys, another RMSE, unknown units", () => {
  const { warnings } = parsePredictions({
    samples: [sample(1), sample(1)],
    rmse_overall: 0.1,
    checkpoint_meta: { missing_keys: ["a", "b"] },
  });
  const text = warnings.join("\n");
  assert.match(text, /2 missing keys/);
  assert.match(text, /The file says RMSE 0\.1000, its own samples give 0\.5774/);
  assert.match(text, /does not say units/);
});
