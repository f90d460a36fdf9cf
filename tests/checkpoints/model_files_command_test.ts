import assert from "node:assert/strict";
import { join } from "node:path";
import { VISUAL_MEMBER } from "../../lib/checkpoints/document.ts";
import { writeCheckpoint } from "../../lib/checkpoints/mod.ts";
import { checkpointAdapterProblems } from "../../lib/inspect/mod.ts";
import { policyShapes, preset } from "../../lib/policies/mod.ts";
import { loraTensors, readModelConfig } from "../../lib/vision_language/mod.ts";
import { changeTensors, copyOf, FIXTURES } from "../inspect/_model_files.ts";
import { temporaryPath } from "../_temporary.ts";

const SCRIPT = new URL("../../scripts/check_checkpoint.ts", import.meta.url).pathname;
const MODEL = join(FIXTURES, "model"), ADAPTER = join(FIXTURES, "lora/attn");

async function command(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("check:checkpoint says OK of a model and of an adapter, and of what is read with --stats", async () => {
  const model = await command(MODEL, "--stats", "--quiet");
  assert.deepEqual([model.code, model.stderr], [0, ""]);
  assert.match(model.stdout, /^OK: .*model: model, 354 kB\n/);
  assert.match(model.stdout, /^values +all read$/m);
  const adapter = await command(ADAPTER, "--model", MODEL, "--json");
  assert.equal(adapter.code, 0);
  const { ok, layout, path, problems, details } = JSON.parse(adapter.stdout);
  assert.deepEqual([ok, layout, path, problems, details.rank], [true, "adapter", ADAPTER, [], 2]);
});

Deno.test("check:checkpoint ends with 1 for a damaged model or adapter, and names what is wrong", async () => {
  const model = copyOf("model");
  Deno.truncateSync(join(model, "model-00001-of-00002.safetensors"), 5000);
  const cut = await command(model);
  assert.equal(cut.code, 1);
  assert.match(cut.stdout, /^NOT OK: /);
  assert.match(cut.stdout, /^✗ .*model-00001-of-00002\.safetensors/m);
  const adapter = copyOf("lora/attn");
  let gone = "";
  changeTensors(join(adapter, "adapter_model.safetensors"), (stored) => {
    gone = [...stored.keys()].find((name) => name.includes("lora_B"))!;
    stored.delete(gone);
  });
  const half = await command(adapter, "--json");
  assert.equal(half.code, 1);
  const { ok, problems } = JSON.parse(half.stdout);
  assert.deepEqual([ok, problems], [false, [`${gone} is missing`]]);
  const other = await command(ADAPTER, "--model", join(FIXTURES, "3b"));
  assert.equal(other.code, 1);
  assert.match(other.stdout, /instead of \(2, 2048\) in the model\n[^]*… and \d+ more \(--verbose/);
});

Deno.test("check:checkpoint refuses flags that say nothing of a model or an adapter", async () => {
  const cases = [
    [MODEL, "--preset", "tiny", "--json"],
    [ADAPTER, "--against", "regression:concat"],
    [MODEL, "--model", MODEL],
  ];
  for (const args of cases) {
    const { code, stdout, stderr } = await command(...args);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, new RegExp(`Flag ${args[1]}: it says nothing of`));
  }
});

Deno.test("check:checkpoint --model compares the adapter in a checkpoint of stage 2 with its model", async () => {
  const config = preset("tiny", { fusion: "none" });
  const lora = { rank: 2, alpha: 4, dropout: 0, targets: ["q_proj"] };
  const filled = (shape: readonly number[]) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.1);
    return { dtype: "float32" as const, shape, data };
  };
  const described = { finetune: "lora", base: { model: "tiny", digest: "00" }, lora };
  const path = temporaryPath("epoch-0001");
  await writeCheckpoint(path, {
    contents: { config, epoch: 1, extra: { [VISUAL_MEMBER]: described } },
    tensors: new Map(policyShapes(config).map(({ key, shape }) => [key, filled(shape)])),
    others: {
      tensors: new Map(
        loraTensors(readModelConfig(join(MODEL, "config.json")), lora)
          .map(({ stored, shape }) => [stored, filled(shape)]),
      ),
    },
  });
  assert.deepEqual(checkpointAdapterProblems(path, MODEL), []);
  const good = await command(path, "--model", MODEL);
  assert.equal(good.code, 0, good.stdout + good.stderr);
  const bad = await command(path, "--model", join(FIXTURES, "3b"), "--json");
  assert.equal(bad.code, 1);
  const { ok, remarks } = JSON.parse(bad.stdout);
  assert.equal(ok, false);
  assert.match(remarks[0], /^✗ compared with .*3b: .*q_proj\.lora_A.* instead of \(2, 2048\)/);
});
