import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { WorkerEnd } from "../../lib/launch/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const launcher = fileURLToPath(new URL("./_launcher.ts", import.meta.url));
const script = fileURLToPath(new URL("../../scripts/launch.ts", import.meta.url));
const isPosix = Deno.build.os !== "windows";

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  await body(temporaryFolder());
}

function start(what: string, folder: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", launcher, what, folder],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}

/** Process ids of the workers, when all have begun. */
async function workers(folder: string): Promise<number[]> {
  return await until(() => {
    const ids = [0, 1].map((rank) => Number(readOrEmpty(`${folder}/${rank}`)));
    return ids.every((id) => id > 0) ? ids : undefined;
  });
}

function readOrEmpty(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

async function until<T>(found: () => T | undefined): Promise<T> {
  for (let i = 0; i < 600; i++) {
    const value = found();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it did not happen within 30 s");
}

function isAlive(id: number): boolean {
  return readOrEmpty(`/proc/${id}/status`) !== "" &&
    !/State:\s+Z/.test(readOrEmpty(`/proc/${id}/status`));
}

async function finished(
  child: Deno.ChildProcess,
): Promise<{ code: number; out: string; ends: WorkerEnd[]; err: string }> {
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  const err = decoder.decode(stderr);
  const last = err.trim().split("\n").at(-1)!;
  return {
    code,
    out: decoder.decode(stdout),
    ends: last.startsWith("[{") ? JSON.parse(last) : [],
    err,
  };
}

Deno.test("launch() gives rank 0 the output, and hears the others' standard error", async () => {
  await inTemporaryFolder(async (folder) => {
    const { out, ends, err } = await finished(start("end", folder));
    assert.deepEqual(JSON.parse(out), { rank: 0, threads: "4" });
    assert.match(err, /^line of rank 0$/m);
    assert.match(err, /^\[rank 1\] line of rank 1$/m);
    assert.deepEqual(ends.map(({ rank, code }) => [rank, code]), [[0, 0], [1, 0]]);
  });
});

Deno.test("launch() ends the others when one fails, and says which and why", async () => {
  await inTemporaryFolder(async (folder) => {
    const { ends } = await finished(start("fail", folder));
    assert.deepEqual(ends[0], { rank: 1, code: 7, signal: null, lastLines: ["line of rank 1"] });
    assert.deepEqual(ends[1]!.rank, 0);
    assert.notEqual(ends[1]!.code, 0);
  });
});

for (const victim of [0, 1]) {
  Deno.test({
    name: `launch() ends the others when rank ${victim} is killed, even the stubborn`,
    ignore: !isPosix,
    fn: async () => {
      await inTemporaryFolder(async (folder) => {
        const child = start("stubborn", folder);
        const ids = await workers(folder);
        Deno.kill(ids[victim]!, "SIGKILL");
        const { ends } = await finished(child);
        assert.deepEqual(ends.map(({ rank, signal }) => [rank, signal]), [
          [victim, "SIGKILL"],
          [1 - victim, "SIGKILL"],
        ]);
        assert.ok(!ids.some(isAlive));
      });
    },
  });
}

Deno.test({
  name: "launch() lets all workers end in order when it is interrupted",
  ignore: !isPosix,
  fn: async () => {
    await inTemporaryFolder(async (folder) => {
      const child = start("wait", folder);
      const ids = await workers(folder);
      child.kill("SIGINT");
      const { ends } = await finished(child);
      assert.deepEqual(ends.map(({ code }) => code), [130, 130]);
      assert.ok([0, 1].every((rank) => Deno.statSync(`${folder}/${rank}.saved`).isFile));
      assert.ok(!ids.some(isAlive));
    });
  },
});

Deno.test({
  name: "a launcher that is killed leaves no workers behind",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await inTemporaryFolder(async (folder) => {
      const child = start("wait", folder);
      const ids = await workers(folder);
      child.kill("SIGKILL");
      await child.status;
      await until(() => ids.some(isAlive) ? undefined : true);
      await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
    });
  },
});

async function task(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("launch passes on wrong usage as exit code 2, and failure as 1", async () => {
  const usage = await task("--processes", "2", "--", "preprocess", "--jsn");
  assert.equal(usage.code, 2);
  assert.match(usage.err, /^error: Unknown flag --jsn/m);
  const failure = await task("--processes", "2", "--", "cache:build", "no/such/folder");
  assert.equal(failure.code, 1);
  assert.match(failure.err, /rank \d has ended with exit code 1/);
});

Deno.test("launch refuses what is no task or cannot be shared, and flags that belong together", async () => {
  for (
    const [args, message] of [
      [["--", "train:stag1"], /did you mean "train:stage1"/],
      [["--", "launch"], /each would do all of it/],
      [["--", "cache:stats"], /each would do all of it\. Run it alone: deno task cache:stats/],
      [["train:stage1", "--epochs", "3"], /-- train:stage1 --epochs 3$/m],
      [["train:stage1", "--processes", "2"], /-- should stand before the task/],
      [["--service", "pods", "--", "preprocess"], /--service needs --from/],
      [["--from", "mpi", "--processes", "2", "--", "preprocess"], /mpi says how many/],
      [["--processes", "0", "--", "preprocess"], /--processes/],
      [[], /TASK/],
    ] as const
  ) {
    const { code, err } = await task(...args);
    assert.deepEqual([code, message.test(err)], [2, true], err);
  }
});
