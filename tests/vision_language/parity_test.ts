import assert from "node:assert/strict";
import { join } from "node:path";
import { startEngine } from "../../lib/engine/mod.ts";
import { checkVisionLanguage, FLOAT32 } from "../../lib/vision_language/parity/mod.ts";
import { copySingle, FIXTURES } from "./_folder.ts";
import { temporaryFolder } from "../_temporary.ts";

Deno.test("Every recorded value is computed as by the published library: values, gradients, steps, files", async () => {
  await startEngine({ quiet: true });
  const tokenizer = join(FIXTURES, "tokenizer");
  const { pass, checks } = await checkVisionLanguage(FIXTURES, { tokenizer });
  assert.deepEqual(checks.filter((check) => !check.pass), []);
  // Of these fixtures closer than other models allow.
  const forward = checks.filter(({ tolerance }) => tolerance === FLOAT32.relL2);
  assert(forward.length > 100 && forward.every(({ relL2 }) => relL2! <= 2e-6));
  assert(pass && checks.length > 250);
  const names = new Set(checks.map(({ name }) => name));
  for (
    const name of [
      ...["position_ids, eager", "vision.window_index, eager", "vision.block.3, compiled"],
      ...["vision.image_features, compiled", "text.layer.2, eager", "logits.last_token, eager"],
      ...["bf16.pool.mean_all, compiled", "gradients of step 1", "optimiser step 3", "losses"],
      ...["merger", "five_views_24x44.position_ids", "files written again"],
    ]
  ) assert(names.has(name), name);
});

Deno.test("checkVisionLanguage fails where a weight or an adapter is another", async () => {
  await startEngine({ quiet: true });
  const folder = temporaryFolder();
  Deno.mkdirSync(join(folder, "cases"));
  for (const name of ["cases.json", "one_image.safetensors"]) {
    Deno.copyFileSync(join(FIXTURES, "cases", name), join(folder, "cases", name));
  }
  Deno.symlinkSync(
    copySingle((tensors) => {
      const { data } = tensors.get("model.layers.1.mlp.up_proj.weight") as { data: Uint16Array };
      data[7]! ^= 0x4000;
    }),
    join(folder, "model"),
  );
  const { pass, checks } = await checkVisionLanguage(folder);
  const failed = new Set(checks.filter((check) => !check.pass).map(({ name }) => name));
  assert(!pass && failed.has("text.layer.1, eager") && failed.has("pool.mean_all, compiled"));
  assert(!failed.has("text.layer.0, eager") && !failed.has("vision.image_features, eager"));
});
