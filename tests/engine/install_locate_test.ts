import assert from "node:assert/strict";
import { join } from "node:path";
import { cacheFolder } from "../../lib/engine/install/mod.ts";
import { libraryNames } from "../../lib/engine/install/_platform.ts";
import { search, type SearchSettings } from "../../lib/engine/install/_search.ts";
import { pythonTest } from "./_install_fixtures.ts";
import { temporaryFolder } from "../_temporary.ts";

const platform = "linux-x86_64";
const { framework, cc } = libraryNames(platform);

/** A search in a folder of its own, and nowhere else. */
async function inFolder(
  fn: (
    folder: string,
    find: (settings?: Partial<SearchSettings>) => ReturnType<typeof search>,
  ) => Promise<void>,
): Promise<void> {
  const folder = temporaryFolder();
  await fn(folder, (settings) =>
    search({
      cuda: false,
      setting: "",
      platform,
      cache: join(folder, "cache"),
      python: ["false"],
      systemFolders: [],
      ...settings,
    }));
}

async function putLibraries(folder: string, names: readonly string[] = [framework, cc[0]!]) {
  await Deno.mkdir(folder, { recursive: true });
  for (const name of names) await Deno.writeTextFile(join(folder, name), name);
}

async function putInstall(cache: string, name: string, change: Record<string, unknown> = {}) {
  const folder = join(cache, "tensorflow", name);
  await putLibraries(join(folder, "tensorflow"));
  const files = [framework, cc[0]!].map((file) => ({
    path: `tensorflow/${file}`,
    bytes: file.length,
  }));
  const [version] = name.split("-");
  const kind = name.split("-").at(-1);
  const manifest = { format: 1, version, platform, kind, wheels: [], files, ...change };
  await Deno.writeTextFile(join(folder, "install.json"), JSON.stringify(manifest));
  return folder;
}

Deno.test("nothing anywhere: nothing is found and nothing is made", async () => {
  await inFolder(async (folder, find) => {
    assert.deepEqual(await find(), { found: undefined, rejected: [] });
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("TROCAR_TENSORFLOW may name the libraries' folder or the one above", async () => {
  await inFolder(async (folder, find) => {
    const libraries = join(folder, "own", "tensorflow");
    await putLibraries(libraries);
    for (const setting of [libraries, join(folder, "own")]) {
      const { found } = await find({ setting });
      assert.equal(found?.folder, libraries);
      assert.equal(found?.source, "TROCAR_TENSORFLOW");
      assert.equal(found?.version, "unknown");
      assert.equal(found?.libraries.cc, join(libraries, cc[0]!));
    }
  });
});

Deno.test("TROCAR_TENSORFLOW without libraries is an error that says what was expected", async () => {
  await inFolder(async (folder, find) => {
    await assert.rejects(find({ setting: folder }), (error: Error & { code: string }) => {
      assert.equal(error.code, "bad-setting");
      assert.match(error.message, /TROCAR_TENSORFLOW.*libtensorflow_framework\.so\.2/);
      assert.ok(error.message.includes(`current value is "${folder}"`));
      assert.match(error.message, /deno task setup/);
      return true;
    });
    await putLibraries(folder, [framework]);
    await assert.rejects(find({ setting: folder }), /neither libtensorflow_cc\.so\.2 nor/);
  });
});

Deno.test("a C-only libtensorflow of the system serves, its version is in its file name", async () => {
  await inFolder(async (folder, find) => {
    const system = join(folder, "lib");
    await putLibraries(system, [`${framework}.18.0`, "libtensorflow.so.2.18.0"]);
    await Deno.symlink(`${framework}.18.0`, join(system, framework));
    await Deno.symlink("libtensorflow.so.2.18.0", join(system, "libtensorflow.so.2"));
    const { found } = await find({ systemFolders: [folder, system] });
    assert.equal(found?.source, "system");
    assert.equal(found?.version, "2.18.0");
    assert.equal(found?.libraries.cc, join(system, "libtensorflow.so.2"));
  });
});

Deno.test("a TensorFlow before 2.16 is passed over, and that is said", async () => {
  await inFolder(async (folder, find) => {
    await putLibraries(join(folder, "tensorflow"));
    await Deno.mkdir(join(folder, "tensorflow-2.15.1.dist-info"));
    const { found, rejected } = await find({ systemFolders: [join(folder, "tensorflow")] });
    assert.equal(found, undefined);
    assert.match(rejected[0]!.reason, /should be 2\.16 or later, current value is 2\.15\.1/);
    await assert.rejects(find({ setting: folder }), /current value is 2\.15\.1/);
  });
});

Deno.test("in the cache the pinned version comes first, then CUDA before CPU", async () => {
  await inFolder(async (folder, find) => {
    const cache = join(folder, "cache");
    await putInstall(cache, "2.30.0-linux-x86_64-cuda");
    await putInstall(cache, "2.21.0-linux-x86_64-cpu");
    await putInstall(cache, "2.21.0-linux-aarch64-cuda");
    assert.equal((await find()).found?.version, "2.21.0");
    assert.equal((await find({ cuda: true })).found?.version, "2.30.0");
    await putInstall(cache, "2.21.0-linux-x86_64-cuda");
    assert.equal((await find()).found?.cuda, true);
  });
});

Deno.test("an installation without a manifest, or with a strange one, does not count", async () => {
  await inFolder(async (folder, find) => {
    const cache = join(folder, "cache");
    const install = await putInstall(cache, "2.21.0-linux-x86_64-cpu", {
      files: [{ path: "../../outside", bytes: 1 }],
    });
    assert.match((await find()).rejected[0]!.reason, /install\.json is not one of format 1/);
    await Deno.writeTextFile(join(install, "install.json"), '{"format": 1, ');
    assert.match((await find()).rejected[0]!.reason, /install\.json cannot be read/);
    await Deno.remove(join(install, "install.json"));
    assert.match((await find()).rejected[0]!.reason, /it has no install\.json/);
    assert.equal((await find()).found, undefined);
  });
});

pythonTest("Python's package is found without importing it, quickly", async () => {
  await inFolder(async (folder, find) => {
    const site = join(folder, "site");
    await putLibraries(join(site, "tensorflow"));
    await Deno.writeTextFile(join(site, "tensorflow", "__init__.py"), "raise SystemExit(9)");
    const info = join(site, "tensorflow_cpu-2.20.0.dist-info");
    await Deno.mkdir(info);
    await Deno.writeTextFile(join(info, "METADATA"), "Name: tensorflow-cpu\nVersion: 2.20.0\n");
    const python = ["env", `PYTHONPATH=${site}`, "python3"];
    const { found } = await find({ python });
    assert.equal(found?.source, "python");
    assert.equal(found?.version, "2.20.0");
    const { found: none, rejected } = await find({ python, cuda: true });
    assert.equal(none, undefined);
    assert.equal(rejected[0]?.reason, "it is not a CUDA build");
  });
});

Deno.test("the cache folder follows TROCAR_CACHE, XDG and HOME, and says when none is set", async () => {
  const script = `import { cacheFolder } from ${
    JSON.stringify(new URL("../../lib/engine/install/mod.ts", import.meta.url).href)
  }; try { console.log(cacheFolder()) } catch (e) { console.log(e.code, e.message) }`;
  const run = async (env: Record<string, string>) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", script],
      clearEnv: true,
      env: { DENO_DIR: denoDir, PATH: "", ...env },
    }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  const denoDir = temporaryFolder();
  assert.equal(await run({ TROCAR_CACHE: "/x/y", HOME: "/h" }), "/x/y");
  if (Deno.build.os === "linux") {
    assert.equal(await run({ XDG_CACHE_HOME: "/xdg", HOME: "/h" }), "/xdg/trocar");
    assert.equal(await run({ XDG_CACHE_HOME: "relative", HOME: "/h" }), "/h/.cache/trocar");
  }
  assert.match(await run({ TROCAR_CACHE: "here" }), /bad-setting.*absolute.*"here"/);
  assert.match(await run({}), /bad-setting Cannot choose a cache folder: HOME is not set/);
  assert.ok(cacheFolder().startsWith("/"));
});
