import assert from "node:assert/strict";
import { tf } from "trocar/engine";
import {
  type ParityFixture,
  type ParityMode,
  parityReport,
  readFixture,
  runParity,
} from "../../lib/policies/parity/mod.ts";
import { fixturePath, onEngines } from "./_engines.ts";
import { temporaryPath } from "../_temporary.ts";

const FUSIONS = ["concat", "cross_attention", "gated", "none"];
const EIGHT = ["regression", "diffusion"].flatMap((family) =>
  FUSIONS.map((fusion) => `oracle/${family}_${fusion}.json`)
);
const MORE = ["no_sensor", "cross_attention_resampled", "gated_nearest"]
  .map((name) => `oracle/more/${name}.json`);

async function expectParity(path: string, mode: ParityMode): Promise<void> {
  for (
    const { name, pass, maxAbs, worst } of await runParity(readFixture(fixturePath(path)), mode)
  ) {
    assert.ok(pass, `${path}: ${name} is off by ${maxAbs} at ${worst}`);
    assert.ok(maxAbs! <= 2e-5, `${path}: ${name} is off by ${maxAbs}`);
  }
}

for (const path of [...EIGHT, ...MORE]) {
  onEngines(`${path} is computed as PyTorch does, op by op,`, () => expectParity(path, "eager"));
}

for (const path of ["oracle/regression_concat.json", "oracle/diffusion_gated.json", ...MORE]) {
  onEngines(`${path} is computed as PyTorch does, compiled,`, () => expectParity(path, "compiled"));
}

onEngines("runParity() leaves no tensors behind", async () => {
  const fixture = readFixture(fixturePath(MORE[2]!));
  await runParity(fixture, "eager");
  const before = tf.memory().numTensors;
  await runParity(fixture, "eager");
  assert.equal(tf.memory().numTensors, before);
});

/** A fixture with one number changed. */
function changed(field: "before" | "after" | "gradients", key: string): ParityFixture {
  const fixture = readFixture(fixturePath(MORE[1]!));
  const tensor = fixture[field].get(key)!;
  const data = tensor.data.slice();
  data[data.length - 1]! += 0.01;
  return { ...fixture, [field]: new Map([...fixture[field], [key, { ...tensor, data }]]) };
}

async function failures(fixture: ParityFixture): Promise<string[]> {
  return (await runParity(fixture, "eager")).filter(({ pass }) => !pass).map(({ name }) => name);
}

onEngines("runParity() finds one wrong weight, gradient or statistic", async () => {
  const weight = "sensor_encoder.conv_backbone.4.weight";
  assert.ok((await failures(changed("before", weight))).includes("sensor features, eager"));
  assert.deepEqual(await failures(changed("gradients", "action_expert.fusion_proj.bias")), [
    "gradients, eager",
    "AdamW step from the fixture's gradients, eager",
  ]);
  assert.deepEqual(await failures(changed("after", "sensor_encoder.conv_backbone.1.running_var")), [
    "BatchNorm statistics, eager",
  ]);
});

onEngines("runParity() finds a gradient that one side lacks", async () => {
  const fixture = readFixture(fixturePath(MORE[1]!));
  const gradients = new Map(fixture.gradients);
  gradients.delete("action_expert.pos_embed");
  const checks = await runParity({ ...fixture, gradients }, "eager");
  const check = checks.find(({ name }) => name === "gradients, eager")!;
  assert.ok(!check.pass && check.worst.includes("action_expert.pos_embed"));
  assert.equal(parityReport("wasm", [{ file: "", family: "", fusion: "", checks }]).pass, false);
});

Deno.test("readFixture() names the field that is wrong", () => {
  const path = temporaryPath("fixture.json");
  const text = Deno.readTextFileSync(fixturePath(MORE[0]!));
  const check = (change: (json: Record<string, Record<string, unknown>>) => void, what: RegExp) => {
    const json = JSON.parse(text);
    change(json);
    Deno.writeTextFileSync(path, JSON.stringify(json));
    assert.throws(() => readFixture(path), what);
  };
  check((json) => delete json["config"], /\.config must be an object, current value is undefined/);
  check((json) => json["config"]!["nhead"] = "4", /config\.nhead must be a number/);
  check((json) => json["config"]!["nhead"] = 3, /actionExpert must be a multiple of its 3 heads/);
  check((json) => json["config"]!["dropout"] = 0.1, /dropout must be 0/);
  check((json) => json["inputs"]!["t"] = ["0"], /inputs\.t must be a list of numbers/);
  check(
    (json) => json["inputs"]!["vl"] = { shape: [3, 1, 7], data: [1] },
    /inputs\.vl must be 21 numbers of shape \[3,1,7\], current value is 1/,
  );
  Deno.writeTextFileSync(path, text.slice(0, 1000));
  assert.throws(() => readFixture(path), SyntaxError);
});
