/**
 * Trainings that are killed. `TROCAR_KILLS` is how often each is. By default once, without sensor on
 * WebAssembly, which is fast; where it is set, with sensor, and on TensorFlow if that is there.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pointerPath, readPointer } from "../../lib/checkpoints/mod.ts";
import { isThere } from "../../lib/formats/_partial_file.ts";
import { hasNative } from "../engine/_native.ts";
import { outcomeOf, startChild, trainChild } from "./_children.ts";
import { runResult } from "./_run_result.ts";
import { prepare } from "./_small_run.ts";
import type { ChildTask } from "./_train_child.ts";
import { temporaryFolder } from "../_temporary.ts";

const given = Deno.env.get("TROCAR_KILLS");
const kills = Number(given ?? 1);
const engine = given !== undefined && hasNative ? "tensorflow" : "wasm";
const folder = temporaryFolder();
await prepare(folder);

/**
 * Kills a training at a random moment: some steps after it began and there is a checkpoint, and up to
 * 60 ms later.
 */
async function killed(task: ChildTask, random: () => number): Promise<"killed" | "done"> {
  const child = startChild(task), latest = pointerPath(join(task.folder, task.name), "latest");
  const steps = 1 + Math.floor(random() * 2), delay = random() * 60;
  let seen = 0, isKilled = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    seen += text.split("step ").length - 1;
    if (seen < steps || isKilled || !isThere(latest)) continue;
    isKilled = true;
    setTimeout(() => {
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended
      }
    }, delay);
  }
  await child.stderr.cancel();
  const { code, signal } = await child.status;
  assert.ok(signal === "SIGKILL" || code === 0, `exit code ${code}`);
  return signal === "SIGKILL" ? "killed" : "done";
}

/** Numbers from 0 to 1, the same for the same seed: Park and Miller's generator. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = state * 48271 % 0x7fffffff) / 0x7fffffff;
}

/** One is enough to be killed within once; of several kills each comes up to two steps further. */
const epochs = kills;

const CASES: Record<string, ChildTask["options"]> = {
  regression: { settings: { emaDecay: 0.9, epochs }, augmented: true },
  diffusion: {
    ...{ family: "diffusion", settings: { emaDecay: 0.9, epochs, loss: "mse" } },
    augmented: true,
  },
  "visual-language model": { visual: {}, settings: { epochs, emaDecay: 0.9 } },
  "reference regression": { architecture: "reference", settings: { epochs } },
};

for (const [name, options] of Object.entries(CASES)) {
  if (given === undefined && name.startsWith("reference")) continue;
  Deno.test(`train: ${name}, killed ${kills} times, ends as if it had not been, bit for bit`, async () => {
    const task = {
      ...{ engine, folder } as const,
      options: { ...options, saveEvery: 0, sensorless: given === undefined },
    };
    const whole = await trainChild({ ...task, name: `${name} whole` });
    const random = seeded(1 + name.length);
    const stopped = async (name: string) => {
      const again = { ...task, name };
      let count = 0;
      for (let i = 0; i < kills; i++) {
        if (await killed(again, random) === "done") break;
        count++;
      }
      const { code, outcome, stderr } = await outcomeOf(startChild(again));
      assert.equal(code, 0, stderr);
      const { resumedFrom, state } = outcome!;
      assert.ok(resumedFrom !== null && resumedFrom > 0, "it began anew");
      return { count, outcome, resumedFrom, isOver: resumedFrom >= state.globalStep };
    };
    let found = await stopped(`${name} killed`);
    for (let late = 1; (found.count === 0 || found.isOver) && late < 5; late++) {
      found = await stopped(`${name} killed, attempt ${late + 1}`); // on a busy machine
    }
    const { count, outcome, resumedFrom, isOver } = found;
    assert.ok(count > 0, "it was never killed");
    assert.ok(!isOver, "it was over");
    assert.deepEqual(runResult(outcome!.run), runResult(whole.run));
    const kept = new Set(
      (["latest", "best", "final"] as const).map((pointer) => readPointer(outcome!.run, pointer)),
    );
    const left = [...Deno.readDirSync(`${outcome!.run}/checkpoints`)];
    assert.deepEqual(
      new Set(left.map((entry) => `${outcome!.run}/checkpoints/${entry.name}`)),
      kept,
    );
    console.log(`killed ${count} times, resumed last from step ${resumedFrom}`);
  });
}
