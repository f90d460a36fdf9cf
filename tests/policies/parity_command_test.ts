import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../_temporary.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/parity.ts", import.meta.url));
const FIXTURES = fileURLToPath(new URL("../../data-fixtures", import.meta.url));

async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, "--engine", "wasm", ...args],
    env: { NO_COLOR: "1" },
    cwd: temporaryFolder(),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("parity takes names of recorded fixtures and folders, and says what it computed on", async () => {
  const { code, stdout, stderr } = await run("no_sensor", `${FIXTURES}/oracle/more`);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^4 fixtures, each op by op and compiled/);
  assert.deepEqual(stdout.match(/^\w+(?=\.json)/gm), [
    ...["no_sensor", "cross_attention_resampled", "gated_nearest", "no_sensor"],
  ]);
  assert.match(stdout, /Parity holds on wasm \S+ on CPU wasm:\w+: largest/);
});

Deno.test("parity refuses what is no fixture, and lists those that are recorded", async () => {
  const unknown = await run("regression_non");
  assert.deepEqual([unknown.code, unknown.stdout], [1, ""]);
  assert.match(unknown.stderr, /no such file or folder.*regression_none.*no_sensor/);
  const empty = await run(`${FIXTURES}/meca500`);
  assert.deepEqual([empty.code, empty.stdout], [1, ""]);
  assert.match(empty.stderr, /meca500: it should hold fixtures/);
});
