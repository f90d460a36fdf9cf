import assert from "node:assert/strict";
import { openCheckpoint } from "../../lib/checkpoints/mod.ts";
import { withFolder } from "./_policies.ts";

const KILLS = 16;
const child = new URL("./_write_child.ts", import.meta.url).pathname;

/** Writes in a child and kills it so many milliseconds after it has written something. */
async function killed(run: string, first: number, after: number): Promise<number> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", child, run, String(first)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let timer: ReturnType<typeof setTimeout> | undefined, text = "";
  for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    timer ??= setTimeout(() => process.kill("SIGKILL"), after);
  }
  const { signal } = await process.status;
  clearTimeout(timer);
  assert.equal(signal, "SIGKILL");
  return Number(text.split("\n").at(-2));
}

/** The epoch of the one checkpoint there, all of whose files are of that epoch. */
async function wholeEpoch(run: string): Promise<number> {
  using checkpoint = openCheckpoint(run);
  await checkpoint.verify();
  const key = "action_expert.pos_embed", { epoch } = checkpoint;
  const values = [checkpoint.tensors.get(key)!, checkpoint.training()!.get(`exp_avg.${key}`)!]
    .flatMap((tensor) => [...tensor.read().data as Float32Array]);
  assert(values.every((value) => value === epoch), `epoch ${epoch} and ${values[0]}`);
  return epoch!;
}

Deno.test(`${KILLS} SIGKILLs while a checkpoint is replaced leave the old one or the new one, whole`, () =>
  withFolder(async (run) => {
    let epoch = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const said = await killed(run, epoch + 1, kill * 2);
      epoch = await wholeEpoch(run);
      assert(epoch === said || epoch === said + 1, `said ${said}, found ${epoch}`);
    }
    // The next write removes what killed ones left.
    const said = await killed(run, epoch + 1, 0);
    assert(said > epoch);
    const left = [...Deno.readDirSync(run)].filter(({ name }) => name.includes(".partial-"));
    assert(left.length <= 2, `${left.length} are left, at most those of the last process`);
  }));

Deno.test("a checkpoint that is replaced again and again is always read as one", () =>
  withFolder(async (run) => {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", child, run],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = process.stdout.getReader();
    await reader.read();
    const seen = new Set<number>();
    while (seen.size < 20) seen.add(await wholeEpoch(run));
    process.kill("SIGKILL");
    reader.releaseLock();
    await process.stdout.cancel();
    await process.status;
  }));
