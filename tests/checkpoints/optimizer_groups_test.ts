import assert from "node:assert/strict";
import { openCheckpoint } from "../../lib/checkpoints/mod.ts";
import {
  PickleFloat,
  type TensorArray,
  type TorchInput,
  writeTorchCheckpoint,
} from "../../lib/formats/mod.ts";
import { policyShapes } from "../../lib/policies/mod.ts";
import { convert, membersOf } from "./_convert.ts";
import { smallPolicy, tensorsOf, withFolder } from "./_policies.ts";

/** A visual-language model as the reference's programs save it: an eye, a text model, its additions. */
const LANGUAGE: Readonly<Record<string, readonly number[]>> = {
  "vl_model.visual.blocks.0.attn.qkv.weight": [6, 2],
  "vl_model.visual.blocks.0.attn.qkv.bias": [6],
  "vl_model.model.embed_tokens.weight": [9, 4],
  "vl_model.model.layers.0.self_attn.q_proj.weight": [4, 4],
  "vl_model.model.layers.0.self_attn.q_proj.bias": [4],
  "vl_model.model.layers.0.self_attn.q_proj.lora_A.default.weight": [2, 4],
  "vl_model.model.layers.0.self_attn.q_proj.lora_B.default.weight": [4, 2],
  "vl_model.model.layers.1.self_attn.q_proj.weight": [4, 4],
  "vl_model.model.layers.1.self_attn.q_proj.bias": [4],
  "vl_model.model.layers.1.self_attn.q_proj.lora_A.default.weight": [2, 4],
  "vl_model.model.layers.1.self_attn.q_proj.lora_B.default.weight": [4, 2],
  "vl_model.model.layers.2.self_attn.q_proj.weight": [4, 4],
  "vl_model.model.layers.2.self_attn.q_proj.bias": [4],
  "vl_model.model.norm.weight": [4],
};

type Choose = (key: string) => boolean;
const all = new Map<string, readonly number[]>(Object.entries(LANGUAGE));
const isLora: Choose = (key) => key.includes("lora");
const isEye: Choose = (key) => key.includes(".visual.");
const part = (name: string): Choose => (key) => key.startsWith(`${name}.`);
const both = (a: Choose, b: Choose): Choose => (key) => a(key) && b(key);
/** No decay for what has one axis, or is a bias. */
const plain: Choose = (key) => all.get(key)!.length === 1 || key.endsWith(".bias");
const decayed: Choose = (key) => !plain(key);
const split = (which: Choose): Choose[] => [both(which, decayed), both(which, plain)];

const policy = smallPolicy();
for (const { key, shape, trainable } of policyShapes(policy)) if (trainable) all.set(key, shape);
const regression = [...split(part("action_expert")), ...split(part("sensor_encoder"))];
const language = part("vl_model");
const ofLayers = (first: number): Choose => (key) =>
  language(key) && !isLora(key) && Number(/\.layers\.(\d+)\./.exec(key)?.[1] ?? -1) >= first;

/** Groups of the reference's programs, in the words of its training guides. */
const PROGRAMS: Readonly<Record<string, { groups: readonly Choose[]; lora?: boolean }>> = {
  "stage 1, the model beside it frozen": { groups: regression },
  "stage 2 with LoRA": { groups: [...regression, ...split(both(language, isLora))], lora: true },
  "stage 2 with LoRA, without the empty group": {
    groups: [...regression, both(language, isLora)],
    lora: true,
  },
  "stage 2 of the whole model": { groups: [...regression, ...split(language)] },
  "stage 2 of the whole model, the eye apart": {
    groups: [
      ...regression,
      ...split(isEye),
      ...split(both(language, (key) => !isEye(key))),
    ],
  },
  "stage 2 of the last two layers, no eye": {
    groups: [...regression, () => false, () => false, ...split(ofLayers(1))],
  },
  "diffusion, stage 2 with LoRA": {
    groups: [both(language, isLora), (key) => !language(key)],
    lora: true,
  },
  "diffusion, stage 2": { groups: [language, (key) => !language(key)] },
};

/** A stage 2 file; each moment holds the number of its parameter in the model. */
function save(path: string, choices: readonly Choose[], lora: boolean): string[][] {
  const own = tensorsOf(policy);
  const keys = [...all.keys()].filter((key) => lora || !isLora(key));
  const state = new Map<string, TorchInput>();
  for (const [key, shape] of all) if (keys.includes(key)) state.set(key, filled(shape, 0.5));
  for (const [key, tensor] of Object.entries(own)) state.set(key, tensor);
  const groups = choices.map((choose) => keys.filter(choose));
  const order = groups.flat();
  writeTorchCheckpoint(path, {
    epoch: 3,
    model_state_dict: state,
    optimizer_state_dict: {
      state: new Map(
        order.map((key, number) => [number, {
          step: filled([], 1),
          exp_avg: filled(all.get(key)!, keys.indexOf(key)),
          exp_avg_sq: filled(all.get(key)!, keys.indexOf(key)),
        }]),
      ),
      param_groups: groups.map((group) => ({
        lr: new PickleFloat(1e-4),
        params: group.map((key) => order.indexOf(key)),
      })),
    },
  });
  return groups;
}

function filled(shape: readonly number[], value: number): TensorArray {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value);
  return { dtype: "float32", shape, data };
}

for (const [name, { groups, lora = false }] of Object.entries(PROGRAMS)) {
  Deno.test(`every moment finds its parameter: ${name}`, () =>
    withFolder(async (parent) => {
      const expected = save(`${parent}/a.pt`, groups, lora);
      await convert(`${parent}/a.pt`, `${parent}/a`);
      using checkpoint = openCheckpoint(`${parent}/a`);
      const optimizer = checkpoint.document!.optimizer as { groups: { keys: string[] }[] };
      const sorted = (keys: readonly string[][]) => keys.map((each) => each.toSorted());
      assert.deepEqual(sorted(optimizer.groups.map(({ keys }) => keys)), sorted(expected));
      const training = new Map([
        ...checkpoint.training() ?? [],
        ...checkpoint.others()?.training ?? [],
      ]);
      const keys = [...all.keys()].filter((key) => lora || !isLora(key));
      for (const key of expected.flat()) {
        const { data } = training.get(`exp_avg.${key}`)!.read();
        assert(data.every((value) => value === keys.indexOf(key)), key);
      }

      await convert(`${parent}/a`, `${parent}/b.pt`);
      const numbers = (path: string) => {
        const state = membersOf(path).get("optimizer_state_dict") as Map<string, unknown>;
        return (state.get("param_groups") as Map<string, unknown>[]).map((group) =>
          group.get("params")
        );
      };
      assert.deepEqual(numbers(`${parent}/b.pt`), numbers(`${parent}/a.pt`));
    }));
}

Deno.test("groups of no program are refused, with what to do", () =>
  withFolder(async (parent) => {
    const choose = (key: string) => key === "action_expert.pos_embed";
    save(`${parent}/a.pt`, [choose, (key) => part("action_expert")(key) && !choose(key)], false);
    await assert.rejects(
      convert(`${parent}/a.pt`, `${parent}/a`),
      /groups of 1, \d+ for .*--weights-only/,
    );
  }));
