import assert from "node:assert/strict";
import { findTensorFlow } from "trocar/engine";
import { hasNative } from "./_native.ts";
import { temporaryFolder } from "../_temporary.ts";

const root = new URL("../..", import.meta.url).pathname;

/** Starts the engine in a process of its own and reports what it printed. */
async function start(
  options: Record<string, unknown>,
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  const program = `
    import { startEngine, tf } from "trocar/engine";
    const engine = await startEngine(${JSON.stringify(options)});
    console.log(JSON.stringify({ ...engine, sum: (await tf.add(1, 2).data())[0] }));`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    cwd: root,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  // Deno says so where another Deno starts at the same time.
  const err = decoder.decode(stderr).replaceAll(/^Blocking waiting for file lock.*\n/gm, "");
  return { code, out: decoder.decode(stdout), err };
}

/** An environment in which no TensorFlow can be found or fetched. */
function bare(folder: string): Record<string, string> {
  return { PATH: folder, HOME: folder, TROCAR_CACHE: folder, XDG_CACHE_HOME: folder };
}

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  await body(temporaryFolder());
}

Deno.test("startEngine() takes wasm by name and says so in one line", async () => {
  const { code, out, err } = await start({ engine: "wasm" });
  assert.equal(code, 0, err);
  assert.deepEqual(JSON.parse(out).name, "wasm");
  assert.equal(JSON.parse(out).sum, 3);
  assert.match(err.trim(), /^engine: wasm [\d.]+ on CPU, 1 thread: asked for$/);
});

Deno.test("startEngine() refuses a name that is no engine", async () => {
  const { code, err } = await start({ engine: "cuda" });
  assert.equal(code, 1);
  assert.match(err, /one of auto, tensorflow, webgpu, wasm, current value is "cuda"/);
});

Deno.test("startEngine({quiet}) prints nothing", async () => {
  const { code, err } = await start({ engine: "wasm", quiet: true });
  assert.deepEqual([code, err], [0, ""]);
});

Deno.test("startEngine() falls back, with the reason, where TensorFlow cannot be had", async () => {
  await inTemporaryFolder(async (folder) => {
    const { code, out, err } = await start({}, bare(folder));
    assert.equal(code, 0, err);
    assert.match(JSON.parse(out).name, /wasm|webgpu/);
    assert.equal(JSON.parse(out).sum, 3);
    assert.match(err, /TensorFlow cannot be used: .*python3/is);
    assert.match(err, /engine: (wasm|webgpu) .*TensorFlow is missing/);
  });
});

Deno.test("startEngine() fails where TensorFlow is asked for by name and missing", async () => {
  await inTemporaryFolder(async (folder) => {
    const { code, err } = await start({ engine: "tensorflow", install: false }, bare(folder));
    assert.equal(code, 1);
    assert.match(err, /Cannot start TensorFlow: it is not installed.*deno task setup/s);
  });
});

Deno.test("startEngine() does not fall back from a wrong TROCAR_TENSORFLOW", async () => {
  await inTemporaryFolder(async (folder) => {
    const { code, err } = await start({}, { TROCAR_TENSORFLOW: folder });
    assert.equal(code, 1);
    assert.ok(err.includes(folder), err);
  });
});

Deno.test({
  name: "startEngine() prefers TensorFlow, silently but for its one line",
  ignore: !hasNative,
  fn: async () => {
    const location = await findTensorFlow();
    const { code, out, err } = await start({ threads: 1 });
    assert.equal(code, 0, err);
    const engine = JSON.parse(out);
    assert.equal(engine.name, "tensorflow");
    assert.equal(engine.path, location!.folder);
    assert.equal(engine.threads, 1);
    assert.ok(engine.devices.some((device: { type: string }) => device.type === "CPU"));
    assert.match(err.trim(), /^engine: tensorflow [\d.]+ \(\w+\) on .*: the first choice$/);
  },
});

Deno.test({
  name: "startEngine() called twice at once starts one engine",
  ignore: !hasNative,
  fn: async () => {
    const program = `
      import { compile, startEngine, tf } from "trocar/engine";
      const options = { quiet: true, install: false };
      const all = await Promise.all([
        startEngine(options),
        startEngine({ ...options, engine: "tensorflow" }),
        startEngine(options),
      ]);
      console.log(all.every((engine) => engine === all[0]), compile(() => tf.scalar(2))().dataSync()[0]);`;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", program],
      cwd: root,
    }).output();
    assert.equal(
      new TextDecoder().decode(stdout).trim(),
      "true 2",
      new TextDecoder().decode(stderr),
    );
  },
});

Deno.test({
  name: "startEngine() survives a library that is damaged, and says what it did",
  ignore: !hasNative || Deno.build.os !== "linux",
  fn: async () => {
    await inTemporaryFolder(async (folder) => {
      const { libraries } = (await findTensorFlow())!;
      await Deno.symlink(libraries.framework, `${folder}/libtensorflow_framework.so.2`);
      await Deno.writeTextFile(`${folder}/libtensorflow_cc.so.2`, "not a library");
      const cache = { TROCAR_TENSORFLOW: folder, TROCAR_CACHE: `${folder}/cache` };
      const { code, out, err } = await start({}, cache);
      assert.equal(code, 0, err);
      assert.equal(JSON.parse(out).sum, 3);
      assert.match(err, /TensorFlow cannot be used: Cannot load TensorFlow from/);
    });
  },
});

Deno.test("startEngine() refuses a number of threads that is none", async () => {
  for (const threads of [0, -1, 1.5, 1e12]) {
    const { code, err } = await start({ engine: "wasm", threads });
    assert.equal(code, 1);
    assert.match(err, /threads must be an integer from 1 to 1024/);
  }
});
