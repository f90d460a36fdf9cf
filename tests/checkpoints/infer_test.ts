import assert from "node:assert/strict";
import { inferPolicy, isMatch, matchPolicy } from "../../lib/checkpoints/mod.ts";
import {
  FAMILIES,
  FUSIONS,
  type PolicyConfig,
  policyShapes,
  preset,
  PRESETS,
} from "../../lib/policies/mod.ts";
import { smallPolicy } from "./_policies.ts";

function shapesOf(config: PolicyConfig): Map<string, readonly number[]> {
  return new Map(policyShapes(config).map(({ key, shape }) => [key, shape]));
}

function* allPolicies(): Iterable<PolicyConfig> {
  for (const architecture of ["reference", "trocar"] as const) {
    for (const family of FAMILIES) {
      for (const fusion of FUSIONS) {
        if (family === "no-sensor" && (fusion !== "none" || architecture === "trocar")) continue;
        const choice = { architecture, family, fusion } as { architecture: "reference" };
        for (const name of PRESETS) yield preset(name, choice);
      }
    }
  }
}

Deno.test("every policy is told by its keys and shapes alone", () => {
  let count = 0;
  for (const config of allPolicies()) {
    const inferred = inferPolicy(shapesOf(config));
    assert.deepEqual(inferred?.config, config);
    assert(inferred!.assumed.includes("actionExpert.heads"));
    count++;
  }
  assert.equal(count, 3 * (3 * 4 + 1 + 4));
});

Deno.test("sizes that are no preset's are read off the shapes", () => {
  const config = smallPolicy({ architecture: "trocar", family: "diffusion", fusion: "gated" });
  const small = { ...config, actionExpert: { ...config.actionExpert, horizon: 5, actionDim: 3 } };
  assert.deepEqual(inferPolicy(shapesOf(small as PolicyConfig))?.config, small);
});

Deno.test("a policy that joins sensor features has an encoder, also where it was not saved", () => {
  for (const fusion of ["concat", "gated", "cross_attention"] as const) {
    for (const architecture of ["reference", "trocar"] as const) {
      const config = preset("compact", { architecture, fusion });
      const shapes = shapesOf(config);
      for (const key of shapes.keys()) if (key.startsWith("sensor_encoder.")) shapes.delete(key);
      const inferred = inferPolicy(shapes)!;
      assert.deepEqual(inferred.config, config);
      assert(inferred.assumed.includes("sensorEncoder"));
      const tensors = new Map(policyShapes(config).map((spec) => [spec.key, spec]));
      assert(isMatch(matchPolicy(inferred.config, tensors)));
    }
  }
});

Deno.test("the reference's two ways not to use a sensor are told by the width of their projection", () => {
  const config = preset("reference", { architecture: "reference" });
  const unused = {
    ...{ ...config, fusion: "none" },
    actionExpert: { ...config.actionExpert, sensorDim: 0 },
  } as PolicyConfig;
  assert.deepEqual(inferPolicy(shapesOf(unused))?.config, unused);
});

Deno.test("what looks like no policy is none, and damaged keys neither hang nor crash", () => {
  assert.equal(inferPolicy(new Map()), null);
  assert.equal(inferPolicy(new Map([["vl_model.weight", [3]]])), null);
  const shapes = [...shapesOf(smallPolicy({ architecture: "trocar" }))];
  let state = 7;
  const below = (limit: number) => (state = (state * 48271) % 0x7fffffff) % limit;
  let found = 0;
  for (let i = 0; i < 3000; i++) {
    const damaged = new Map(shapes);
    for (let k = below(4); k >= 0; k--) {
      const [key, shape] = shapes[below(shapes.length)]!;
      const way = below(4);
      if (way === 0) damaged.delete(key);
      else if (way === 1) damaged.set(key, []);
      else if (way === 2) damaged.set(key, shape.map((size) => size * below(3)));
      else damaged.set(key.replace("layers.0", `layers.${below(2 ** 31)}`), [2 ** 40]);
    }
    if (inferPolicy(damaged) !== null) found++;
  }
  assert(found > 500 && found < 3000, `${found} still look like policies`);
});
