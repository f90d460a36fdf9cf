import assert from "node:assert/strict";
import { join } from "node:path";
import { HAS_PYTHON, makeSite, namesIn, startInstall } from "./_install_fixtures.ts";
import { temporaryFolder } from "../_temporary.ts";

const MEGABYTES = 12;
const reason = Deno.build.os !== "linux"
  ? "mounting a small disk needs Linux"
  : Deno.uid() !== 0
  ? "mounting a small disk needs root"
  : !HAS_PYTHON
  ? "python3 is missing"
  : !await canMount()
  ? "mounting is not allowed here"
  : undefined;

async function mount(folder: string): Promise<boolean> {
  return (await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", `size=${MEGABYTES}m`, "tmpfs", folder],
    stderr: "null",
  }).output()).success;
}

async function unmount(folder: string): Promise<void> {
  await new Deno.Command("umount", { args: [folder] }).output();
  await Deno.remove(folder);
}

async function canMount(): Promise<boolean> {
  const folder = temporaryFolder();
  const can = await mount(folder).catch(() => false);
  if (can) await unmount(folder);
  else await Deno.remove(folder);
  return can;
}

function diskTest(name: string, fn: (disk: string) => Promise<void>): void {
  const title = reason === undefined ? name : `${name} (ignored: ${reason})`;
  Deno.test({
    name: title,
    ignore: reason !== undefined,
    fn: async () => {
      const disk = temporaryFolder();
      assert.ok(await mount(disk));
      try {
        await fn(disk);
      } finally {
        await unmount(disk);
      }
    },
  });
}

diskTest("too little room is noticed before anything is downloaded", async (disk) => {
  await using site = await makeSite();
  const { code, message } = await startInstall({ ...site, cache: disk }, {
    settings: { wheels: [{ ...site.wheel, bytes: 30e6 }] },
  }).outcome;
  assert.equal(code, "no-space");
  assert.match(message!, /62 MB are needed, current value of free space is 1\d MB.*TROCAR_CACHE/);
  assert.equal(await site.pipRuns(), 0);
  assert.deepEqual(namesIn(join(disk, "tensorflow")), []);
});

diskTest("a disk that fills up while unpacking leaves nothing behind", async (disk) => {
  await using site = await makeSite();
  const { code, message, stages } = await startInstall({ ...site, cache: disk }, {
    env: { FAKE_PIP_MODE: "junk", FAKE_PIP_JUNK: String(MEGABYTES * 2 ** 20 - 2e6) },
  }).outcome;
  assert.equal(code, "no-space", `${message}`);
  assert.deepEqual(stages, ["download", "verify", "unpack"]);
  assert.deepEqual(namesIn(join(disk, "tensorflow")), []);
});

diskTest("a disk that fills up while downloading leaves nothing behind", async (disk) => {
  await using site = await makeSite();
  const { code, message } = await startInstall({ ...site, cache: disk }, {
    env: { FAKE_PIP_MODE: "junk", FAKE_PIP_JUNK: String(MEGABYTES * 2 ** 20 - 100_000) },
  }).outcome;
  assert.equal(code, "no-space", `${message}`);
  assert.deepEqual(namesIn(join(disk, "tensorflow")), []);
});
