import assert from "node:assert/strict";
import { join } from "node:path";
import { CHECKPOINT_CONVERSIONS } from "../../lib/checkpoints/convert/mod.ts";
import { FIXTURES } from "./_convert.ts";
import { temporaryFolder } from "../_temporary.ts";

const SCRIPT = new URL("../../scripts/convert.ts", import.meta.url).pathname;

async function command(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("convert --help lists the conversions of checkpoints and their flags", async () => {
  const { code, stdout } = await command("--help");
  assert.equal(code, 0);
  assert.ok(stdout.split("\n").every((line) => line.length <= 100), "lines of at most 100 columns");
  const plain = stdout.replace(/\s+/g, " ");
  for (const { from, to, summary } of CHECKPOINT_CONVERSIONS) {
    assert.ok(plain.includes(`${from} → ${to} ${summary}`), `${from} ${to}`);
  }
  for (const flag of ["which", "weights-only", "config"]) {
    assert.match(stdout, new RegExp(`--${flag}[^-]`));
  }
});

Deno.test("convert says what it wrote, and replaces nothing unasked", async () => {
  const parent = temporaryFolder(), folder = join(parent, "epoch.7"), back = `${folder}.pt`;
  const input = `${FIXTURES}/qwen_vla_sensor_best.pt`;
  const first = await command(input, folder, "--json");
  assert.equal(first.code, 0, first.stderr);
  const { input: from, output, tensors, bytes, remarks } = JSON.parse(first.stdout);
  assert.deepEqual([from.endsWith("qwen_vla_sensor_best.pt"), output], [true, folder]);
  assert.equal(tensors, 330);
  const sizes = [...Deno.readDirSync(folder)]
    .map(({ name }) => Deno.statSync(join(folder, name)).size);
  assert.equal(bytes, sizes.reduce((a, b) => a + b));
  assert.match(remarks.join("\n"), /actionExpert\.heads 8.*--config FILE/s);
  const again = await command(input, folder);
  assert.deepEqual([again.code, again.stdout], [1, ""]);
  assert.match(again.stderr, /epoch\.7: it is there already.*--overwrite/s);
  const overwritten = await command(input, folder, "--overwrite", "--weights-only");
  assert.equal(overwritten.code, 0, overwritten.stderr);
  assert.match(overwritten.stderr, /left out, as --weights-only says/);
  assert.equal((await command(folder, back)).code, 0);
  const damaged = join(parent, "damaged.pt");
  Deno.writeFileSync(damaged, Deno.readFileSync(back).subarray(0, 5000));
  const { code, stderr } = await command(damaged, join(parent, "none"));
  assert.equal(code, 1);
  assert.match(stderr, /damaged\.pt/);
  assert.deepEqual(
    [...Deno.readDirSync(parent)].map(({ name }) => name).sort(),
    ["damaged.pt", "epoch.7", "epoch.7.pt"],
  );
});
