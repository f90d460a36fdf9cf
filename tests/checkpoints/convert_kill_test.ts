import assert from "node:assert/strict";
import { join } from "node:path";
import { readFolder } from "../../lib/checkpoints/convert/_read_ours.ts";
import { temporaryFolder } from "../_temporary.ts";

const CHILD = new URL("_convert_child.ts", import.meta.url).pathname;
/** Policy's tensors and others by completed epochs. */
const WHOLE: Readonly<Record<string, readonly number[]>> = {
  "100": [65, 2, 177],
  "2": [64, 2, 174],
  "null": [63, 0, 0],
};

Deno.test("a killed conversion leaves the old checkpoint or the new one, with all of its files", async () => {
  const parent = temporaryFolder(), folder = join(parent, "epoch");
  const seen = new Set<string>();
  for (let kill = 0; kill < 16; kill++) {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", CHILD, folder],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    for (let turn = 0; turn <= kill % 3; turn++) await reader.read();
    await new Promise((done) => setTimeout(done, (kill * 7) % 40));
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
    using checkpoint = await readFolder(folder, {});
    const { contents, tensors, others, training } = checkpoint;
    const epoch = String(contents.epoch);
    seen.add(epoch);
    assert.deepEqual([tensors.size, others.size, training.size], WHOLE[epoch], `epoch ${epoch}`);
  }
  assert.ok(seen.size > 1, [...seen].join());
});
