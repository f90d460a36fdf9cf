import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint, readPointer, writePointer } from "../../lib/checkpoints/mod.ts";
import { withFolder } from "./_policies.ts";

/** A run with a folder that passes for a checkpoint. */
function withRun(act: (run: string, parent: string) => void): Promise<void> {
  return withFolder((parent) => {
    for (const folder of ["run/epoch-1", "other/epoch-1"]) {
      Deno.mkdirSync(join(parent, folder), { recursive: true });
      Deno.writeTextFileSync(join(parent, folder, "checkpoint.json"), "{}");
    }
    act(join(parent, "run"), parent);
  });
}

function point(run: string, checkpoint: string): void {
  const text = JSON.stringify({ format: "trocar-pointer", checkpoint });
  Deno.writeTextFileSync(join(run, "latest.json"), text);
}

Deno.test("a pointer names a checkpoint's folder, nothing else", () =>
  withRun((run) => {
    Deno.mkdirSync(join(run, "empty"));
    Deno.writeTextFileSync(join(run, "file"), "x");
    Deno.symlinkSync("../run", join(run, "self"));
    writePointer(run, "best", "epoch-1");
    assert.equal(readPointer(run, "best"), join(run, "epoch-1"));
    for (const name of ["latest.json", "empty", "file", "self", "best.json"]) {
      point(run, name);
      for (const path of [run, join(run, "latest.json")]) {
        assert.throws(
          () => openCheckpoint(path),
          (error: Error) => {
            assert(error instanceof SyntaxError, `${name}: ${error.name}`);
            assert.match(error.message, /a checkpoint's folder .* without checkpoint\.json/, name);
            return true;
          },
        );
      }
    }
  }));

Deno.test("a pointer stays in its run, whatever links lead to", () =>
  withRun((run, parent) => {
    Deno.symlinkSync(join(parent, "other", "epoch-1"), join(run, "outside"));
    Deno.symlinkSync(join(parent, "other"), join(run, "up"));
    Deno.symlinkSync("epoch-1", join(run, "inside"));
    for (const name of ["outside", "up/epoch-1"]) {
      point(run, name);
      assert.throws(() => readPointer(run, "latest"), /a link that leads out of the folder/);
    }
    point(run, "inside");
    assert.equal(readPointer(run, "latest"), join(run, "inside"));
    Deno.symlinkSync(run, join(parent, "alias"));
    assert.equal(readPointer(join(parent, "alias"), "latest"), join(parent, "alias", "inside"));
  }));

Deno.test("links that lead in a circle lead nowhere", () =>
  withRun((run) => {
    Deno.symlinkSync("b", join(run, "a"));
    Deno.symlinkSync("a", join(run, "b"));
    point(run, "a");
    assert.throws(() => openCheckpoint(run), Deno.errors.NotFound);
    assert.throws(() => openCheckpoint(join(run, "a")), /there is no such file or folder/);
  }));
