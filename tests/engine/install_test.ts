import assert from "node:assert/strict";
import { delimiter, join } from "node:path";
import { search } from "../../lib/engine/install/_search.ts";
import {
  CC_BYTES,
  makeSite,
  namesIn,
  pythonTest,
  type Site,
  startInstall,
  until,
} from "./_install_fixtures.ts";
import { temporaryFolder } from "../_temporary.ts";

const INSTALLED = `2.21.0-${Deno.build.os}-${Deno.build.arch}-cpu`;

/** What the search finds in a cache folder and nowhere else. */
async function findIn(cache: string) {
  return await search({ cuda: false, setting: "", cache, python: ["false"], systemFolders: [] });
}

/** Asserts that a failed installation has left nothing but its empty folder. */
async function assertClean(site: Site) {
  assert.deepEqual(namesIn(join(site.cache, "tensorflow")), []);
  assert.equal((await findIn(site.cache)).found, undefined);
}

pythonTest("an installation is found, and a second one does not start pip", async () => {
  await using site = await makeSite();
  const first = await startInstall(site).outcome;
  assert.equal(first.exitCode, 0, `${first.message}`);
  assert.deepEqual(first.stages, ["download", "verify", "unpack"]);
  const { found, rejected } = await findIn(site.cache);
  assert.equal(found?.folder, first.folder);
  assert.equal(found?.version, "2.21.0");
  assert.equal(Deno.statSync(found!.libraries.cc).size, CC_BYTES);
  assert.deepEqual(rejected, []);
  assert.deepEqual(namesIn(join(site.cache, "tensorflow")), [INSTALLED]);
  assert.deepEqual(namesIn(join(site.cache, "tensorflow", INSTALLED)), [
    "install.json",
    "tensorflow",
  ]);
  assert.equal((await startInstall(site).outcome).exitCode, 0);
  assert.equal(await site.pipRuns(), 1);
});

pythonTest("two processes at once: one installs, the other waits and uses the result", async () => {
  await using site = await makeSite();
  const env = { FAKE_PIP_MODE: "steady" };
  const both = await Promise.all([1, 2].map(() => startInstall(site, { env }).outcome));
  assert.deepEqual(both.map(({ exitCode }) => exitCode), [0, 0]);
  assert.equal(await site.pipRuns(), 1);
  assert.deepEqual(both.map(({ stages }) => stages!.includes("wait")).sort(), [false, true]);
  assert.deepEqual(namesIn(join(site.cache, "tensorflow")), [INSTALLED]);
});

pythonTest("killed half way: nothing counts, pip ends, and the next run cleans up", async () => {
  await using site = await makeSite();
  const { process, outcome } = startInstall(site, { env: { FAKE_PIP_MODE: "slow" } });
  const root = join(site.cache, "tensorflow");
  const temporary = () => {
    const partial = namesIn(root).find((name) => name.startsWith(".partial-"));
    return partial === undefined ? [] : namesIn(join(root, partial, "download", "temporary"));
  };
  await until(() => temporary().includes("part"));
  process.kill("SIGKILL");
  await outcome;
  assert.equal((await findIn(site.cache)).found, undefined);
  assert.ok(namesIn(root).includes("install.lock"));
  const pip = Number(await Deno.readTextFile(join(site.folder, "runs")));
  await until(() => !isRunning(pip), 10); // by itself it ends after 20 s
  const next = await startInstall(site).outcome;
  assert.equal(next.exitCode, 0, `${next.message}`);
  assert.deepEqual(namesIn(root), [INSTALLED]);
});

pythonTest("many are killed at random moments, and the last still succeeds", async () => {
  await using site = await makeSite();
  const env = { FAKE_PIP_MODE: "steady" };
  for (let i = 0; i < 5; i++) {
    const { process, outcome } = startInstall(site, { env });
    await new Promise((done) => setTimeout(done, 150 + 250 * i));
    process.kill("SIGKILL");
    await outcome;
    const { found } = await findIn(site.cache);
    if (found !== undefined) assert.equal(Deno.statSync(found.libraries.cc).size, CC_BYTES);
  }
  const last = await startInstall(site).outcome;
  assert.equal(last.exitCode, 0, `${last.message}`);
  // A process killed while it makes its lock leaves a draft of some bytes, which nothing reads.
  const names = namesIn(join(site.cache, "tensorflow"));
  assert.deepEqual(names.filter((name) => !name.startsWith("install.lock.")), [INSTALLED]);
});

pythonTest("a wrong hash is refused by both hashes, and the file is deleted", async () => {
  await using site = await makeSite();
  const sha256 = "0".repeat(64);
  const { code, message } = await startInstall(site, {
    settings: { wheels: [{ ...site.wheel, sha256 }] },
  }).outcome;
  assert.equal(code, "wrong-hash");
  assert.match(message!, new RegExp(`${sha256}.*${site.wheel.sha256}`));
  await assertClean(site);
});

pythonTest("a truncated wheel is refused with file and byte offset", async () => {
  await using site = await makeSite({ change: (bytes) => bytes.slice(0, -50_000) });
  const { code, message } = await startInstall(site).outcome;
  assert.equal(code, "bad-wheel");
  assert.match(message!, /at byte \d+: the archive has no end record, it may be cut short/);
  await assertClean(site);
});

pythonTest("a wheel with damaged data inside is refused", async () => {
  const change = (bytes: Uint8Array) => {
    bytes[100_000]! ^= 0xff;
    return bytes;
  };
  await using site = await makeSite({ change });
  const { code, message } = await startInstall(site).outcome;
  assert.equal(code, "bad-wheel");
  assert.match(message!, /CRC-32|damaged deflate data|should hold/);
  await assertClean(site);
});

pythonTest("a library that was cut short later does not count and is installed again", async () => {
  await using site = await makeSite();
  await startInstall(site).outcome;
  const { found } = await findIn(site.cache);
  await Deno.truncate(found!.libraries.cc, 1000);
  const { found: none, rejected } = await findIn(site.cache);
  assert.equal(none, undefined);
  assert.match(rejected[0]!.reason, /should hold 3000000 bytes, current value is 1000/);
  assert.equal((await startInstall(site).outcome).exitCode, 0);
  assert.equal(Deno.statSync((await findIn(site.cache)).found!.libraries.cc).size, CC_BYTES);
});

pythonTest("an aborted installation ends pip and removes what it had written", async () => {
  await using site = await makeSite();
  const { code } = await startInstall(site, {
    env: { FAKE_PIP_MODE: "slow" },
    settings: { abortAfter: 700 },
  }).outcome;
  assert.equal(code, "TimeoutError");
  await assertClean(site);
});

pythonTest("no python3: the message says what to install", async () => {
  await using site = await makeSite();
  const { code, message } = await startInstall(site, { env: { PATH: site.cache } }).outcome;
  assert.equal(code, "no-python");
  assert.match(message!, /python3 cannot be started.*apt install python3 python3-pip/s);
  await assertClean(site);
});

pythonTest("python3 without pip: the message says so", async () => {
  await using site = await makeSite();
  const shim = join(site.folder, "python3");
  const { stdout } = await new Deno.Command("python3", {
    args: ["-c", "import sys; print(sys.executable)"],
  }).output();
  const real = new TextDecoder().decode(stdout).trim();
  await Deno.writeTextFile(shim, `#!/bin/sh\nexec "${real}" -I -S "$@"\n`, { mode: 0o755 });
  const PATH = `${site.folder}${delimiter}${Deno.env.get("PATH")}`;
  const { code, message } = await startInstall(site, { env: { PATH } }).outcome;
  assert.equal(code, "no-pip");
  assert.match(message!, /has no pip.*apt install python3-pip/s);
  await assertClean(site);
});

pythonTest("pip fails: its last words are shown", async () => {
  await using site = await makeSite();
  const { code, message } = await startInstall(site, { env: { FAKE_PIP_MODE: "fails" } }).outcome;
  assert.equal(code, "pip-failed");
  assert.match(message!, /pip ended with 1.*last words/s);
  await assertClean(site);
});

pythonTest("no network: the message names it", async () => {
  await using site = await makeSite();
  const env = {
    PYTHONPATH: "",
    PIP_CONFIG_FILE: "/dev/null",
    PIP_INDEX_URL: "http://127.0.0.1:9/",
    PIP_EXTRA_INDEX_URL: "",
    PIP_FIND_LINKS: "",
    PIP_RETRIES: "1",
  };
  const { code, message } = await startInstall(site, { env }).outcome;
  assert.equal(code, "no-network", `${message}`);
  assert.match(message!, /does not reach its package index/);
  await assertClean(site);
}, { needsPip: true });

Deno.test("a platform without libraries is told which engines serve", async () => {
  const cache = temporaryFolder();
  const { outcome } = startInstall({ cache, env: {}, wheel: undefined as never }, {
    settings: { platform: "windows-x86_64", wheels: undefined },
  });
  const { code, message } = await outcome;
  assert.equal(code, "unsupported-platform");
  assert.match(message!, /current value is windows-x86_64.*webgpu.*wasm/);
  assert.deepEqual(namesIn(cache), []);
  await Deno.remove(cache);
});

pythonTest("a cache folder that cannot be made is named", async () => {
  await using site = await makeSite();
  const cache = join(site.wheelPath, "cache");
  const { code, message } = await startInstall({ ...site, cache }).outcome;
  assert.equal(code, "not-writable");
  assert.match(message!, /TROCAR_CACHE/);
});

function isRunning(pid: number): boolean {
  const { success } = new Deno.Command("kill", {
    args: ["-0", String(pid)],
    stderr: "null",
  }).outputSync();
  return success;
}
