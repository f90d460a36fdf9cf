import assert from "node:assert/strict";
import { checkCheckpoint, inferPolicy, loadPolicy } from "../../lib/checkpoints/mod.ts";
import { startEngine } from "../../lib/engine/mod.ts";
import { writeSafetensors } from "../../lib/formats/mod.ts";
import { type PolicyConfig, policyShapes } from "../../lib/policies/mod.ts";
import { smallPolicy, tensorsOf, withFolder } from "./_policies.ts";

/** A policy with features of these widths; a sensor of width 0 is not joined, but may be there. */
function policyOf(
  family: "regression" | "diffusion",
  vision: number,
  sensor: number,
  encoder: number | null = sensor,
): PolicyConfig {
  const config = smallPolicy({ family });
  return {
    ...config,
    fusion: sensor === 0 ? "none" : "concat",
    sensorEncoder: encoder === null ? null : { ...config.sensorEncoder!, outputDim: encoder },
    actionExpert: { ...config.actionExpert, visionDim: vision, sensorDim: sensor },
  } as PolicyConfig;
}

function inferred(config: PolicyConfig) {
  return inferPolicy(new Map(policyShapes(config).map(({ key, shape }) => [key, shape])))!;
}

const OPEN = ["fusion", "actionExpert.visionDim"];

Deno.test("where one projection has two readings, the likelier is taken and both are named", () => {
  const cases: [config: PolicyConfig, isOpen: boolean][] = [];
  for (const family of ["regression", "diffusion"] as const) {
    cases.push([policyOf(family, 2048, 1024), true]); // 3072 is also a width of vision features
    cases.push([policyOf(family, 2048, 12), false]);
    cases.push([policyOf(family, 2048, 3072), false]);
    cases.push([policyOf(family, 3584, 512), false]);
    cases.push([policyOf(family, 700, 40), true]);
    cases.push([policyOf(family, 3584, 0, null), true]);
    cases.push([policyOf(family, 2048, 0, null), false]);
    cases.push([policyOf(family, 2048, 0, 1024), true]);
    cases.push([policyOf(family, 2048, 0, 3072), false]);
  }
  for (const [config, isOpen] of cases) {
    const found = inferred(config), { actionExpert: { visionDim, sensorDim } } = config;
    const name = `${config.family} ${visionDim} + ${sensorDim}`;
    assert.deepEqual(found.config, config, name);
    assert.deepEqual(OPEN.map((each) => found.assumed.includes(each)), [isOpen, isOpen], name);
  }
});

Deno.test("what is asked for decides between two readings", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`;
    const joined = policyOf("regression", 2048, 1024),
      alone = policyOf("regression", 2048, 0, 1024);
    for (const config of [joined, alone]) {
      writeSafetensors(path, tensorsOf(config));
      const inputs = config.actionExpert.visionDim + config.actionExpert.sensorDim;
      assert(OPEN.every((name) => inferred(config).assumed.includes(name)), config.fusion);
      for (const [fusion, visionDim] of [["concat", inputs - 1024], ["none", inputs]] as const) {
        const { ok, against, assumed } = await checkCheckpoint(path, {
          against: `regression:${fusion}`,
        });
        assert.deepEqual([ok, against.actionExpert.visionDim], [true, visionDim], fusion);
        assert(!OPEN.some((name) => assumed.includes(name)), fusion);
      }
      assert(!(await checkCheckpoint(path, { against: "regression:gated" })).ok);
      assert(!(await checkCheckpoint(path, { against: "diffusion:concat" })).ok);
    }
    await startEngine({ engine: "wasm", quiet: true });
    writeSafetensors(path, tensorsOf(joined));
    assert((await loadPolicy(path)).assumed.includes("fusion"));
  }));

Deno.test("sizes that an architecture cannot have are not ok, and no error", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`, config = smallPolicy();
    const sensorEncoder = { ...config.sensorEncoder!, hiddenDim: 15, heads: 5 };
    writeSafetensors(path, tensorsOf({ ...config, sensorEncoder } as PolicyConfig));
    const check = await checkCheckpoint(path, { against: "trocar/regression:concat" });
    assert.deepEqual([check.ok, check.against.architecture], [false, "trocar"]);
    assert(check.missing.length > 0);
  }));

Deno.test("policies without a sensor are not sent for one", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`;
    for (
      const config of [
        smallPolicy({ family: "no-sensor", fusion: "none" }),
        smallPolicy({ fusion: "none" }),
      ]
    ) {
      const tensors = Object.entries(tensorsOf(config));
      writeSafetensors(path, new Map(tensors.filter(([key]) => key.startsWith("action_expert."))));
      const { ok, remarks } = await checkCheckpoint(path, { preset: "tiny" });
      assert(!ok && !/sensor_encoder/.test(remarks.at(-1)!), remarks.at(-1)!);
      assert.match(remarks.at(-1)!, /family, fusion and sizes/);
    }
    const { remarks } = await checkCheckpoint(path, { against: "regression:concat" });
    assert.match(remarks.at(-1)!, /no sensor_encoder/);
  }));
