import assert from "node:assert/strict";
import { type AttentionShare, attentionShare } from "../../lib/control/mod.ts";
import { startEngine, tf } from "../../lib/engine/mod.ts";
import { initialise, preset } from "../../lib/policies/mod.ts";

await startEngine({ engine: "wasm", quiet: true });

const TOKENS = 3, SIZE = 2, HORIZON = 8;
type Options = Parameters<typeof preset>[1];

function policy(options: Options = {}, change = (_name: string, value: tf.Tensor) => value) {
  const config = preset("tiny", { visionDim: 16, ...options });
  const parameters = Object.fromEntries(
    Object.entries(initialise(config, { seed: 3 })).map(([name, value]) => [
      name,
      change(name, value),
    ]),
  );
  return { config, parameters };
}

/** Without projections all scores are 0: every token gets the same. */
const even = (name: string, value: tf.Tensor) =>
  /multihead_attn\.in_proj/.test(name) ? tf.zerosLike(value) : value;

function observation(size = SIZE) {
  const vision = Float32Array.from({ length: size * TOKENS * 16 }, (_, i) => Math.sin(i));
  const sensor = Float32Array.from({ length: size * 65 * 1026 }, (_, i) => 100 * Math.cos(i));
  return { size, vision, sensor };
}

function assertSums({ weights, shares, mean, tokens, size }: AttentionShare) {
  assert.equal(weights.length, size * HORIZON * tokens);
  for (let row = 0; row < size * HORIZON; row++) {
    const sum = weights.subarray(row * tokens, (row + 1) * tokens).reduce((a, b) => a + b, 0);
    assert(Math.abs(sum - 1) < 1e-5, `row ${row}: ${sum}`);
    assert(Math.abs(shares[2 * row]! + shares[2 * row + 1]! - 1) < 1e-12, `row ${row}`);
  }
  assert.equal(mean.length, HORIZON * 2);
}

Deno.test("shares sum to 1, differ by action, and are the same each time", async () => {
  for (const fusion of ["concat", "gated", "cross_attention"] as const) {
    const opened = policy({ fusion });
    const found = await attentionShare(opened, observation());
    assertSums(found);
    assert.equal(found.sensorTokens, fusion === "cross_attention" ? 1 : 5);
    assert.equal(found.tokens, 1 + TOKENS + found.sensorTokens);
    assert(new Set(found.shares).size > HORIZON, "actions look at different things");
    assert.deepEqual((await attentionShare(opened, observation())).shares, found.shares);
  }
});

Deno.test("even attention gives each kind what it has of the tokens", async () => {
  const { mean, learned, sensorTokens } = await attentionShare(
    policy({ fusion: "concat" }, even),
    observation(),
  );
  for (let step = 0; step < HORIZON; step++) {
    assert(Math.abs(mean[2 * step]! - TOKENS / (TOKENS + sensorTokens)) < 1e-6, `${mean}`);
    assert(Math.abs(learned[step]! - 1 / (1 + TOKENS + sensorTokens)) < 1e-6, `${learned}`);
  }
});

Deno.test("tokens that are not there get nothing, and count in no share", async () => {
  const visionMask = Uint8Array.of(1, 0, 0, 1, 1, 1);
  const { weights, shares, tokens, sensorTokens } = await attentionShare(
    policy({ fusion: "concat" }, even),
    { ...observation(), visionMask },
  );
  for (let step = 0; step < HORIZON; step++) {
    assert.deepEqual([...weights.subarray(step * tokens + 2, step * tokens + 4)], [0, 0]);
    assert(Math.abs(shares[2 * step]! - 1 / (1 + sensorTokens)) < 1e-6, "the first sample");
    const second = shares[2 * (HORIZON + step)]!;
    assert(Math.abs(second - TOKENS / (TOKENS + sensorTokens)) < 1e-6, "the second sample");
  }
});

Deno.test("diffusion is asked at all its sampling steps, and follows the seed", async () => {
  const opened = policy({ family: "diffusion", fusion: "concat" });
  const options = { samplingSteps: 3 } as const;
  const found = await attentionShare(opened, observation(), options);
  assertSums(found);
  assert.deepEqual((await attentionShare(opened, observation(), options)).weights, found.weights);
  const other = await attentionShare(opened, observation(), { ...options, seed: 1 });
  assert.notDeepEqual(other.weights, found.weights);
});

Deno.test("a policy that fuses into one token has no shares", async () => {
  const config = preset("tiny", { architecture: "reference", visionDim: 16 });
  const opened = { config, parameters: initialise(config, { seed: 1 }) };
  await assert.rejects(attentionShare(opened, observation()), /architecture "reference"/);
});

Deno.test("no tensor is left", async () => {
  const opened = policy({ fusion: "concat" });
  await attentionShare(opened, observation());
  const before = tf.memory().numTensors;
  await attentionShare(opened, observation());
  assert.equal(tf.memory().numTensors, before);
});
