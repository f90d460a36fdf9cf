import assert from "node:assert/strict";
import {
  countParameters,
  type Fusion,
  FUSIONS,
  policyShapes,
  preset,
  PRESETS,
  trainedKeys,
  validateConfig,
} from "../../lib/policies/mod.ts";
import { readFixture } from "../../lib/policies/parity/mod.ts";
import { fixturePath } from "./_engines.ts";

const reference = (family: "regression" | "diffusion" | "no-sensor", fusion: Fusion = "concat") =>
  preset("reference", { architecture: "reference", family, fusion });

Deno.test("countParameters() gives the Python reference's sizes", () => {
  assert.equal(countParameters(reference("regression")).sensorEncoder, 47_238_656);
  const expert = (family: "regression" | "diffusion") =>
    FUSIONS.map((fusion) => countParameters(reference(family, fusion)).actionExpert);
  assert.deepEqual(expert("regression"), [72_448_007, 77_697_031, 75_596_807, 69_302_279]);
  assert.deepEqual(expert("diffusion"), [57_877_511, 63_126_535, 61_026_311, 54_731_783]);
  assert.equal(countParameters(reference("no-sensor")).total, 54_600_711);
  assert.equal(countParameters(reference("regression")).total, 119_686_663);
});

Deno.test("the presets have the sizes that they are named for", () => {
  const ranges = { tiny: [1e6, 3e6], compact: [18e6, 22e6], reference: [105e6, 126e6] };
  for (const name of PRESETS) {
    for (const architecture of ["trocar", "reference"] as const) {
      for (const family of ["regression", "diffusion"] as const) {
        for (const fusion of FUSIONS.slice(0, 3)) {
          const { total } = countParameters(preset(name, { architecture, family, fusion }));
          const [least, most] = ranges[name] as [number, number];
          assert.ok(total > least && total < most, `${name} ${architecture} ${family} ${total}`);
        }
      }
    }
  }
});

Deno.test("policyShapes() has the number of entries of the Python reference's state", () => {
  const count = (family: "regression" | "diffusion" | "no-sensor") =>
    FUSIONS.map((fusion) =>
      policyShapes(reference(family, fusion)).filter(({ key }) => key.startsWith("action_expert."))
        .length
    );
  assert.deepEqual(count("regression"), [79, 87, 85, 79]);
  assert.deepEqual(count("diffusion"), [62, 70, 68, 62]);
  assert.deepEqual(count("no-sensor"), [60, 60, 60, 60]);
  const encoder = policyShapes(reference("regression"))
    .filter(({ key }) => key.startsWith("sensor_encoder."));
  assert.equal(encoder.length, 58);
  assert.equal(encoder.filter(({ trainable }) => trainable).length, 46);
});

for (
  const path of [
    ...["regression", "diffusion"].flatMap((family) =>
      FUSIONS.map((fusion) => `oracle/${family}_${fusion}.json`)
    ),
    "oracle/more/no_sensor.json",
    "oracle/more/gated_nearest.json",
  ]
) {
  Deno.test(`policyShapes() has keys, order and shapes of PyTorch's state in ${path}`, () => {
    const { config, before, gradients } = readFixture(fixturePath(path));
    assert.deepEqual(
      policyShapes(config).map(({ key, shape }) => [key, [...shape]]),
      [...before].map(([key, { shape }]) => [key, shape]),
    );
    assert.deepEqual(trainedKeys(config), [...gradients.keys()]);
  });
}

Deno.test("validateConfig() names what is wrong", () => {
  const config = preset("tiny");
  const expert = { ...config.actionExpert };
  const sensor = { ...config.sensorEncoder! };
  const check = (change: object, what: RegExp) =>
    assert.throws(() => validateConfig({ ...config, ...change } as never), what);
  check({ architecture: "old" }, /architecture must be one of reference, trocar.*"old"/);
  check({ family: "no-sensor" }, /family must be one of regression, diffusion/);
  check({ fusion: "sum" }, /fusion must be one of concat/);
  check({ sensorEncoder: null }, /sensorEncoder must be null with fusion none/);
  check({ actionExpert: { ...expert, horizon: 0 } }, /actionExpert.horizon must be an integer/);
  check(
    { actionExpert: { ...expert, heads: 7 } },
    /a multiple of its 7 heads, current value is 128/,
  );
  check({ actionExpert: { ...expert, dropout: 1 } }, /dropout must be from 0 to below 1/);
  check({ sensorEncoder: { ...sensor, outputDim: 255 } }, /outputDim must be the 256/);
  check({ sensorEncoder: { ...sensor, groups: 7 } }, /a multiple of its 7 groups/);
  assert.throws(() => preset("huge" as "tiny"), /one of tiny, compact, reference/);
});

Deno.test("M-14: cubic interpolation, which PyTorch has not for windows, is refused at once", () => {
  const cubic = preset("tiny", { architecture: "reference" });
  assert.throws(
    () =>
      validateConfig({
        ...cubic,
        sensorEncoder: { ...cubic.sensorEncoder!, interpolation: "cubic" as "linear" },
      }),
    /interpolation must be one of linear, nearest, current value is "cubic"/,
  );
});
