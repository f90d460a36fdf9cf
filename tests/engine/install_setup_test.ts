import assert from "node:assert/strict";
import { join } from "node:path";
import { makeSite, namesIn, pythonTest, type Site, startInstall } from "./_install_fixtures.ts";
import { temporaryFolder } from "../_temporary.ts";

const ENGINE = `
const log = Deno.env.get("ENGINE_LOG");
if (log) Deno.writeTextFileSync(log, "started\\n", { append: true });
export function startEngine({ engine }) {
  console.log("chatter");
  if (Deno.env.get("ENGINE_FAILS")) throw new Error(Deno.env.get("ENGINE_FAILS"));
  if (Deno.env.get("ENGINE_CRASHES")) Deno.kill(Deno.pid, "SIGILL");
  return { name: engine, version: "2.21.0", devices: [{ name: "/device:CPU:0", type: "CPU" }], threads: 2 };
}`;
const module = `data:text/javascript,${encodeURIComponent(ENGINE)}`;

async function run(
  script: string,
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL(script, import.meta.url).pathname, ...args],
    env: { TROCAR_TENSORFLOW: "", NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

async function setUp(site: Site, options: unknown, env: Record<string, string> = {}) {
  const all = { ...site.env, TROCAR_CACHE: site.cache, ...env };
  return JSON.parse((await run("./_setup_child.ts", [JSON.stringify(options)], all)).stdout);
}

pythonTest("the engine is started once, and then only when something has changed", async () => {
  await using site = await makeSite();
  await startInstall(site).outcome;
  const env = { ENGINE_LOG: join(site.folder, "log") };
  const starts = () => Deno.readTextFileSync(env.ENGINE_LOG).trim().split("\n").length;
  const first = await setUp(site, { module, check: true }, env);
  assert.deepEqual(first.proof.devices, [{ name: "/device:CPU:0", type: "CPU" }]);
  assert.ok(!namesIn(join(site.cache, "tensorflow")).includes("proofs.json"));
  assert.equal(starts(), 1);
  for (let i = 0; i < 3; i++) assert.deepEqual(await setUp(site, { module }, env), first);
  assert.equal(starts(), 2);
  const now = new Date();
  await Deno.utime(first.location.libraries.cc, now, now);
  await setUp(site, { module }, env);
  assert.equal(starts(), 3);
  assert.equal(await site.pipRuns(), 1);
});

pythonTest(
  "libraries that do not load are an error that says why, and nothing is noted",
  async () => {
    await using site = await makeSite();
    await startInstall(site).outcome;
    const old = "libc.so.6: version `GLIBC_2.27' not found (required by libtensorflow_cc.so.2)";
    const tooOld = await setUp(site, { module }, { ENGINE_FAILS: old });
    assert.equal(tooOld.code, "cannot-load");
    assert.match(tooOld.message, /GLIBC_2\.27' not found.*glibc 2\.27 or later/s);
    const crashed = await setUp(site, { module }, { ENGINE_CRASHES: "1" });
    assert.equal(crashed.code, "cannot-load");
    assert.match(crashed.message, /SIGILL.*lacks instructions/s);
    assert.ok(!namesIn(join(site.cache, "tensorflow")).includes("proofs.json"));
  },
);

pythonTest("the diagnosis names what was started and what is missing", async () => {
  await using site = await makeSite();
  const missing = await setUp(site, { diagnose: true, module }, { PYTHONPATH: "" });
  // A machine may have a TensorFlow of its own.
  if (missing.tensorflow === null) {
    assert.equal(missing.ok, false);
    const finding = missing.findings.find((f: { code: string }) => f.code === "tensorflow-missing");
    assert.match(finding.message, /deno task setup/);
  }
  await startInstall(site).outcome;
  const found = await setUp(site, { diagnose: true, module });
  assert.equal(found.ok, true, JSON.stringify(found.findings));
  assert.equal(found.tensorflow.source, "cache");
  assert.ok(found.processor.threads >= 1);
  const broken = await setUp(site, { diagnose: true, module }, { ENGINE_FAILS: "no" });
  assert.equal(broken.ok, false);
  assert.equal(broken.findings[0].code, "tensorflow-load");
});

Deno.test("setup --check with nothing installed: exit 1, one document, no folders", async () => {
  const folder = temporaryFolder();
  const env = { TROCAR_CACHE: join(folder, "cache"), PATH: folder };
  const { code, stdout, stderr } = await run("../../scripts/setup.ts", ["--check", "--json"], env);
  const document = JSON.parse(stdout);
  // A machine may have a libtensorflow of its own.
  if (document.engine === "none") {
    assert.equal(code, 1);
    assert.match(stderr, /Run: deno task setup/);
  }
  assert.deepEqual(Object.keys(document), ["engine", "version", "path", "source", "devices"]);
  assert.deepEqual(namesIn(folder), []);
});

Deno.test("setup without Python: exit 1, what to do, and which engines serve", async () => {
  const folder = temporaryFolder();
  const env = { TROCAR_CACHE: join(folder, "cache"), PATH: folder };
  const { code, stdout, stderr } = await run("../../scripts/setup.ts", ["--force", "--json"], env);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /apt install python3|Make room|no library for this platform/);
  assert.match(stderr, /--engine wasm/);
  assert.deepEqual(namesIn(join(folder, "cache", "tensorflow")), []);
});

Deno.test("setup with a bad TROCAR_TENSORFLOW: exit 1, and the folder is named", async () => {
  const { code, stderr } = await run("../../scripts/setup.ts", [], {
    TROCAR_TENSORFLOW: "/nowhere/at/all",
    TROCAR_CACHE: "/nowhere",
  });
  assert.equal(code, 1);
  assert.match(stderr, /error: Cannot use TROCAR_TENSORFLOW: .*"\/nowhere\/at\/all"/);
});
