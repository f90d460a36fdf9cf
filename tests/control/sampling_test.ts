import assert from "node:assert/strict";
import { join } from "node:path";
import { writeCheckpoint } from "../../lib/checkpoints/mod.ts";
import { type HostObservation, openPolicy, type OpenPolicyOptions } from "../../lib/control/mod.ts";
import { evaluateClosedLoop } from "../../lib/evaluation/closed_loop/mod.ts";
import { Random, startEngine } from "../../lib/engine/mod.ts";
import { type PolicyConfig, policyShapes, preset } from "../../lib/policies/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

await startEngine({ engine: "wasm", quiet: true });
const folder = Deno.realPathSync(temporaryFolder());

/** A small policy with random tensors, on disk. */
async function policyFile(name: string, config: PolicyConfig): Promise<string> {
  const tensors = Object.fromEntries(
    policyShapes(config).map(({ key, shape }, counter) => {
      const values = new Random({ seed: 1, counter }).normal([...shape], "tensor");
      const data = values.dataSync<"float32">().map((value) => 0.1 * value);
      return [key, {
        dtype: "float32" as const,
        shape,
        data: key.endsWith("_std") ? data.fill(1) : data,
      }];
    }),
  );
  const path = join(folder, name);
  await writeCheckpoint(path, { contents: { config }, tensors });
  return path;
}

const SIZES = { fusion: "none", visionDim: 16, timesteps: 12 } as const;
function small(architecture: "trocar" | "reference", family: "diffusion" | "regression") {
  const config = preset("tiny", { ...SIZES, architecture, family });
  return {
    ...config,
    actionExpert: { ...config.actionExpert, hiddenDim: 16, heads: 2, layers: 1 },
  } as PolicyConfig;
}
const diffusion = await policyFile("diffusion", small("trocar", "diffusion"));
const old = await policyFile("old", small("reference", "diffusion"));
const regression = await policyFile("regression", small("trocar", "regression"));

/** Windows by their numbers. */
function windows(index: readonly number[]): HostObservation {
  const vision = index.map((number) => Array.from({ length: 16 }, (_, i) => Math.sin(number + i)));
  return { size: index.length, vision: Float32Array.from(vision.flat()), index };
}

const CHUNK = 8 * 7;
async function chunksOf(path: string, options: OpenPolicyOptions, ...batches: HostObservation[]) {
  using policy = await openPolicy(path, options);
  const chunks: number[][] = [];
  for (const batch of batches) {
    const values = await policy.predict(batch);
    for (let row = 0; row < batch.size; row++) {
      chunks.push([...values.subarray(row * CHUNK, (row + 1) * CHUNK)]);
    }
  }
  return chunks;
}

function expectClose(found: readonly number[][], expected: readonly number[][]) {
  assert.equal(found.length, expected.length);
  found.flat().forEach((value, i) => {
    const wanted = expected.flat()[i]!;
    assert.ok(Math.abs(value - wanted) < 1e-4, `${i}: ${value} ${wanted}`);
  });
}

for (const sampler of ["ddim", "ddpm"] as const) {
  Deno.test(`a window's ${sampler} chunk does not depend on where it is in which batch`, async () => {
    for (const path of sampler === "ddim" ? [diffusion, old] : [diffusion]) {
      const options = { sampler, seed: 3 };
      const whole = await chunksOf(path, options, windows([5, 0, 9, 70_000_000_000]));
      const parts = await chunksOf(
        path,
        options,
        windows([5]),
        windows([0, 9]),
        windows([7e10, -1]),
      );
      expectClose(parts.slice(0, 4), whole);
      const turned = await chunksOf(path, options, windows([7e10, 9, 0, 5]));
      expectClose(turned.toReversed(), whole);
      const other = await chunksOf(path, { sampler, seed: 4 }, windows([5]));
      assert.notDeepEqual(other[0], whole[0]);
      // The same observation with another number is drawn anew.
      const [renumbered] = await chunksOf(path, options, { ...windows([5]), index: [6] });
      assert.ok(renumbered!.some((value, i) => Math.abs(value - whole[0]![i]!) > 1e-3));
    }
  });
}

Deno.test("windows without numbers are counted through all calls", async () => {
  const numbered = await chunksOf(diffusion, {}, windows([0, 1, 2, 3]));
  const anonymous = (first: number, size: number) => {
    const { index: _, ...seen } = windows(Array.from({ length: size }, (_, i) => first + i));
    return seen;
  };
  expectClose(await chunksOf(diffusion, {}, anonymous(0, 1), anonymous(1, 3)), numbered);
});

Deno.test("a policy samples as its options say", async () => {
  const seen = windows([1, 2]);
  const ways = [
    ...[{}, { samplingSteps: 3 }, { samplingSteps: 3, ladder: "legacy" }, { sampler: "ddpm" }],
  ] as const;
  const found = await Promise.all(
    ways.map(async (way) => String(await chunksOf(diffusion, way, seen))),
  );
  assert.equal(new Set(found).size, ways.length);
  const ten = await chunksOf(
    diffusion,
    { samplingSteps: 10, sampler: "ddim", ladder: "even" },
    seen,
  );
  assert.equal(String(ten), found[0], "the defaults");
  const legacy = await chunksOf(old, { ladder: "legacy" }, seen);
  assert.deepEqual(await chunksOf(old, {}, seen), legacy, "the Python reference has one ladder");
  assert.notDeepEqual(await chunksOf(old, { ladder: "even" }, seen), legacy);
});

Deno.test("sampling that does not fit a policy is refused before it predicts", async () => {
  const refused = (path: string, options: OpenPolicyOptions, message: RegExp) =>
    assert.rejects(
      openPolicy(path, options),
      (error: Error) => error instanceof RangeError && message.test(error.message),
    );
  for (
    const options of [{ samplingSteps: 5 }, { sampler: "ddim" }, { ladder: "legacy" }] as const
  ) {
    await refused(regression, options, /must be of family diffusion, current value is regression/);
  }
  (await openPolicy(regression, { seed: 5 }))[Symbol.dispose]();
  await refused(diffusion, { samplingSteps: 13 }, /from 1 to 12, .* current value is 13/);
  await refused(diffusion, { samplingSteps: 0 }, /from 1 to 12/);
  await refused(
    diffusion,
    { sampler: "ddpm", samplingSteps: 5 },
    /all 12 steps, current value is 5 steps/,
  );
  await refused(diffusion, { sampler: "ddpm", ladder: "legacy" }, /current value is ladder legacy/);
  await refused(
    diffusion,
    { sampler: "euler" as "ddim" },
    /ddim or ddpm, current value is "euler"/,
  );
  using policy = await openPolicy(diffusion);
  await assert.rejects(
    policy.predict({ ...windows([1, 2]), index: [1] }),
    /index must have \(2\) values/,
  );
});

Deno.test("each observation of the closed loop has a number of its own", async () => {
  const numbers = async (sceneSeed: number, episodes: number) => {
    const found: number[][] = [];
    await evaluateClosedLoop(({ scenes, index }) => {
      found.push([...index]);
      return new Float32Array(scenes * CHUNK);
    }, { sceneSeed, episodes, quality: null });
    return found;
  };
  const together = await numbers(9000, 2), alone = await numbers(9001, 1);
  assert.deepEqual(together.map(([, second]) => [second]), alone);
  assert.deepEqual(alone.slice(0, 3), [[9_001_000], [9_001_008], [9_001_016]]);
  assert.equal(new Set(together.flat()).size, 2 * together.length);
});
