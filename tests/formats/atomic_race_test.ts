import assert from "node:assert/strict";
import { replaceFolderAtomic } from "../../lib/formats/atomic_write.ts";
import { temporaryFolder } from "../_temporary.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

/** Runs something right before one of Deno's functions is called for the first time. */
async function before<Name extends "renameSync" | "dlopen">(
  name: Name,
  action: () => void,
  during: () => Promise<void>,
): Promise<void> {
  const original = Deno[name];
  const call = (...args: Parameters<typeof original>) => {
    Deno[name] = original;
    action();
    return (original as (...args: unknown[]) => unknown)(...args);
  };
  Deno[name] = call as typeof original;
  try {
    await during();
    assert.equal(Deno[name], original, `${name} was called`);
  } finally {
    Deno[name] = original;
  }
}

const fill = (text: string) => (folder: string) => Deno.writeTextFileSync(`${folder}/a`, text);

Deno.test("a folder that another process puts in place first is replaced", async () => {
  const parent = temporaryFolder(), target = `${parent}/episode`;
  const other = () => {
    Deno.mkdirSync(target);
    fill("other")(target);
  };
  await before("renameSync", other, () => replaceFolderAtomic(target, fill("own")));
  assert.equal(Deno.readTextFileSync(`${target}/a`), "own");
  assert.deepEqual(names(parent), ["episode"]);
});

Deno.test("a folder that another process takes away while it is replaced is written", async () => {
  const parent = temporaryFolder(), target = `${parent}/episode`;
  await replaceFolderAtomic(target, fill("old"));
  const other = () => Deno.removeSync(target, { recursive: true });
  await before("dlopen", other, () => replaceFolderAtomic(target, fill("own")));
  assert.equal(Deno.readTextFileSync(`${target}/a`), "own");
  assert.deepEqual(names(parent), ["episode"]);
});

Deno.test("where folders cannot be exchanged, what another process moved aside is in nobody's way", async () => {
  const parent = temporaryFolder(), target = `${parent}/episode`;
  await replaceFolderAtomic(target, fill("old"));
  const aside = `${parent}/.episode.previous`;
  const dlopen = Deno.dlopen;
  Deno.dlopen = () => {
    throw new Error("no such function");
  };
  try {
    const other = () => {
      Deno.mkdirSync(aside);
      fill("older")(aside);
    };
    await before("renameSync", other, () => replaceFolderAtomic(target, fill("own")));
  } finally {
    Deno.dlopen = dlopen;
  }
  assert.equal(Deno.readTextFileSync(`${target}/a`), "own");
  assert.deepEqual(names(parent), ["episode"]);
});

Deno.test("a build that removes its own folder fails, and is not tried again", async () => {
  const parent = temporaryFolder();
  let builds = 0;
  const build = (folder: string) => {
    builds++;
    Deno.removeSync(folder);
  };
  const options = { sync: false };
  await assert.rejects(
    replaceFolderAtomic(`${parent}/episode`, build, options),
    Deno.errors.NotFound,
  );
  assert.deepEqual([builds, names(parent)], [1, []]);
});

Deno.test("two processes that write new folders at the same moments both succeed", async () => {
  const folder = temporaryFolder(), meeting = temporaryFolder(), rounds = 150;
  const script = new URL("./_replace_folder.ts", import.meta.url).pathname;
  const runs = [["a", "b"], ["b", "a"]].map((order) => {
    const args = ["run", "-A", script, folder, meeting, ...order, String(rounds)];
    return new Deno.Command(Deno.execPath(), { args, stderr: "piped", stdout: "null" }).spawn();
  });
  // Where one of them fails, the other would wait for it.
  for (const run of runs) {
    void run.status.then(({ success }) => {
      if (!success) { for (const each of runs) stop(each); }
    });
  }
  for (const { success, stderr } of await Promise.all(runs.map((run) => run.output()))) {
    assert(success, new TextDecoder().decode(stderr));
  }
  assert.deepEqual(names(folder).length, rounds);
  for (const name of names(folder)) {
    const [who, too] = ["who", "too"].map((file) =>
      Deno.readTextFileSync(`${folder}/${name}/${file}`)
    );
    assert(who === "a" || who === "b", `${name}: ${who}`);
    assert.equal(too, who);
  }
});

function stop(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch { /* it has ended */ }
}
