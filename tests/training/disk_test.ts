/** Disks that are full, and places that take no more: in processes of their own. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint } from "../../lib/checkpoints/mod.ts";
import { outcomeOf, startChild, trainChild } from "./_children.ts";
import { runResult } from "./_run_result.ts";
import { prepare } from "./_small_run.ts";
import type { ChildTask } from "./_train_child.ts";
import { temporaryFolder } from "../_temporary.ts";

const folder = temporaryFolder();
await prepare(folder);

const task = (name: string, saveEvery?: number): ChildTask => ({
  ...{ engine: "wasm", folder, name },
  options: {
    ...{ sensorless: true, width: 64, settings: { epochs: 2 } },
    ...(saveEvery === undefined ? {} : { saveEvery }),
  },
});

/** Whole checkpoints, no half-written ones, and pointers to whole ones only. */
async function assertWhole(run: string): Promise<void> {
  const left = [...Deno.readDirSync(join(run, "checkpoints"))].map(({ name }) => name);
  assert.ok(left.every((name) => /^step-\d{8}$/.test(name)), `left: ${left}`);
  using latest = openCheckpoint(run);
  await latest.verify();
}

function hasMount(): boolean {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const place = temporaryFolder();
  const args = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", place];
  const { success } = new Deno.Command("mount", { args, stderr: "null" }).outputSync();
  if (success) new Deno.Command("umount", { args: [place] }).outputSync();
  return success;
}

const canMount = hasMount();

Deno.test({
  name:
    "train on a disk that fills up ends with the room that is needed and free, and goes on later" +
    (canMount ? "" : " (ignored: mounting a small disk needs Linux and root)"),
  ignore: !canMount,
  fn: async () => {
    const whole = await trainChild(task("whole"));
    const run = join(folder, "full");
    Deno.mkdirSync(run);
    const mount = (...options: string[]) =>
      new Deno.Command("mount", { args: [...options, run] }).outputSync().success;
    // The first checkpoint fits; the second one, beside it, does not.
    const bytes = [...Deno.readDirSync(join(whole.run, "checkpoints"))].map(({ name }) => name)
      .slice(0, 1)
      .flatMap((name) =>
        [...Deno.readDirSync(join(whole.run, "checkpoints", name))]
          .map((file) => Deno.statSync(join(whole.run, "checkpoints", name, file.name)).size)
      )
      .reduce((sum, size) => sum + size, 0);
    const kilobytes = Math.round(1.6 * bytes / 1000);
    assert.ok(mount("-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs"));
    try {
      const { code, stderr } = await outcomeOf(startChild(task("full")));
      assert.notEqual(code, 0);
      assert.match(
        stderr,
        /Cannot write .*full\/checkpoints\/\.?step-\d+\S*: its disk should have room left.*needs [\d.]+ MB, [\d.]+ [kM]?B are free in .*The checkpoint before it is whole/s,
      );
      await assertWhole(run);
      assert.ok(mount("-o", `remount,size=${20 * kilobytes}k`));
      const again = await trainChild(task("full"));
      assert.ok(again.resumedFrom! > 0);
      assert.deepEqual(runResult(run), runResult(whole.run));
    } finally {
      new Deno.Command("umount", { args: ["-l", run] }).outputSync();
    }
  },
});

Deno.test({
  name: "train where files may not grow ends with a message that names file and room",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    // Without the signal that would end the process, a write beyond the limit fails: EFBIG.
    const shell = "trap '' XFSZ; ulimit -f 64"; // blocks of 1024 bytes
    const { code, stderr } = await outcomeOf(startChild(task("limited"), { shell }));
    assert.notEqual(code, 0);
    assert.match(
      stderr,
      /Cannot write .*limited\/checkpoints\/.*its file system should hold files this large.*are free/s,
    );
    assert.deepEqual([...Deno.readDirSync(join(folder, "limited", "checkpoints"))], []);
    const { resumedFrom, stopped } = await trainChild(task("limited"));
    assert.deepEqual([resumedFrom, stopped], [null, null]);
  },
});

Deno.test("train removes what a killed process left half-written", async () => {
  const name = "leftovers", run = join(folder, name);
  const first = await trainChild({ ...task(name), stopAt: { rank: 0, step: 2 } });
  assert.equal(first.stopped, "interrupted");
  Deno.mkdirSync(join(run, "checkpoints", ".step-00000001.partial-999999999-abc"));
  Deno.writeTextFileSync(join(run, ".latest.json.partial-999999999-abc"), "{");
  Deno.mkdirSync(join(run, "checkpoints", "step-00000007")); // whole or not: no pointer names it
  await trainChild(task(name));
  await assertWhole(run);
  assert.ok([...Deno.readDirSync(run)].every(({ name }) => !name.includes(".partial-")));
});
