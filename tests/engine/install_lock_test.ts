import assert from "node:assert/strict";
import { hostname } from "node:os";
import { join } from "node:path";
import { FileLock } from "../../lib/engine/install/_lock.ts";
import { namesIn } from "./_install_fixtures.ts";
import { temporaryFolder } from "../_temporary.ts";

const heartbeat = 20;

async function inFolder(fn: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  await fn(join(folder, "lock"), folder);
  assert.deepEqual(namesIn(folder), []);
}

Deno.test("only one holds the lock at a time", async () => {
  await inFolder(async (path) => {
    let held = 0;
    await Promise.all(Array.from({ length: 8 }, async () => {
      await using lock = await FileLock.acquire(path, { heartbeat: 1000 });
      assert.equal(++held, 1);
      await new Promise((done) => setTimeout(done, 10));
      await lock.assertHeld();
      held--;
    }));
  });
});

Deno.test("the lock of a dead process is taken over once, by one of many", async () => {
  await inFolder(async (path) => {
    const { pid, status } = new Deno.Command(Deno.execPath(), {
      args: ["--version"],
      stdout: "null",
    }).spawn();
    await status;
    await Deno.writeTextFile(path, JSON.stringify({ pid, host: hostname(), token: "gone" }));
    let held = 0;
    await Promise.all(Array.from({ length: 6 }, async () => {
      // Long enough that a machine that stands still for a moment takes nobody's lock away.
      await using _lock = await FileLock.acquire(path, { heartbeat: 200 });
      assert.equal(++held, 1);
      await new Promise((done) => setTimeout(done, 30));
      held--;
    }));
  });
});

Deno.test("a lock that nobody keeps fresh is taken over, whatever it holds", async () => {
  for (const text of ["", "{", JSON.stringify({ pid: 1, host: "another machine", token: "t" })]) {
    await inFolder(async (path) => {
      await Deno.writeTextFile(path, text);
      const start = performance.now();
      await using _lock = await FileLock.acquire(path, { heartbeat });
      assert.ok(performance.now() - start >= 15 * heartbeat);
    });
  }
});

Deno.test("a lock that another machine keeps fresh is waited for, and that is said", async () => {
  await inFolder(async (path) => {
    await Deno.writeTextFile(path, JSON.stringify({ pid: 7, host: "far", token: "t" }));
    const beats = setInterval(() => Deno.utimeSync(path, new Date(), new Date()), 20);
    const waits: unknown[] = [];
    // Twice as long as a silence after which it is taken over.
    const signal = AbortSignal.timeout(3000);
    const waiting = FileLock.acquire(path, {
      ...{ heartbeat: 100, signal },
      onWait: (w) => waits.push(w),
    });
    await assert.rejects(waiting);
    clearInterval(beats);
    assert.deepEqual(waits, [{ pid: 7, host: "far", isGone: false }]);
    await Deno.remove(path);
  });
});

Deno.test("who has lost the lock is told, and leaves the new holder's alone", async () => {
  await inFolder(async (path) => {
    const other = JSON.stringify({ pid: 7, host: "far", token: "t" });
    {
      await using lock = await FileLock.acquire(path, { heartbeat });
      await Deno.writeTextFile(path, other);
      await assert.rejects(lock.assertHeld(), { code: "lock-lost" });
    }
    assert.equal(await Deno.readTextFile(path), other);
    await Deno.remove(path);
  });
});
