import assert from "node:assert/strict";
import { FUSIONS, policyShapes, preset, trainedKeys } from "../../lib/policies/mod.ts";
import { optimizerGroups, parameterGroups } from "../../lib/training/groups.ts";

function sizes(config: Parameters<typeof parameterGroups>[0]) {
  const shapes = new Map(policyShapes(config).map(({ key, shape }) => [key, shape]));
  return parameterGroups(config).map(({ keys }) => [
    keys.length,
    keys.reduce((sum, key) => sum + shapes.get(key)!.reduce((a, b) => a * b, 1), 0),
  ]);
}

Deno.test("the groups of reference have the sizes of the Python reference's", () => {
  const expert = {
    concat: [[27, 72_367_104], [52, 80_903]],
    cross_attention: [[31, 77_609_984], [56, 87_047]],
    gated: [[30, 75_512_832], [55, 83_975]],
    none: [[27, 69_221_376], [52, 80_903]],
  };
  for (const fusion of FUSIONS) {
    const sensor = fusion === "none" ? [] : [[14, 47_188_992], [32, 49_664]];
    const config = preset("reference", { architecture: "reference", fusion });
    assert.deepEqual(sizes(config), [...expert[fusion], ...sensor], fusion);
  }
});

Deno.test("every trained parameter is in exactly one group, with its part's learning rate", () => {
  for (const architecture of ["trocar", "reference"] as const) {
    for (const family of ["regression", "diffusion"] as const) {
      for (const fusion of FUSIONS) {
        const config = preset("tiny", { architecture, family, fusion });
        const options = { learningRate: 1e-3, sensorLearningRate: 2e-3, weightDecay: 0.1 };
        const groups = parameterGroups(config, options);
        const keys = groups.flatMap((group) => group.keys);
        assert.equal(new Set(keys).size, keys.length);
        assert.deepEqual(keys.toSorted(), trainedKeys(config).toSorted());
        for (const { name, learningRate, weightDecay } of groups) {
          assert.equal(learningRate, name.startsWith("sensor.") ? 2e-3 : 1e-3);
          assert.equal(weightDecay, name.endsWith(".no_decay") ? 0 : 0.1);
        }
      }
    }
  }
});

Deno.test("biases, scales of normalisations and nothing else are not decayed", () => {
  const config = preset("tiny");
  const shapes = new Map(policyShapes(config).map(({ key, shape }) => [key, shape]));
  for (const { name, keys } of parameterGroups(config)) {
    for (const key of keys) {
      const isVector = key.endsWith(".bias") || shapes.get(key)!.length === 1;
      assert.equal(isVector, name.endsWith(".no_decay"), `${key} in ${name}`);
    }
  }
});

Deno.test("a parameter in two groups is an error, not two updates", () => {
  const group = (name: string) => ({ name, keys: ["a", "b"], learningRate: 1, weightDecay: 0 });
  assert.throws(
    () => optimizerGroups([group("vision"), group("language")]),
    /current value is "a" in "vision" and "language"/,
  );
  const [first] = optimizerGroups([group("vision")]);
  assert.ok(first!.matches("a", [1]) && !first!.matches("c", [1]));
});
