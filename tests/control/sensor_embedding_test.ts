import assert from "node:assert/strict";
import { sensorEmbedding } from "../../lib/control/mod.ts";
import { EpisodeDataset } from "../../lib/datasets/mod.ts";
import { startEngine, tf } from "../../lib/engine/mod.ts";
import { evaluation, initialise, preset, trocar } from "../../lib/policies/mod.ts";
import { hasNative } from "../engine/_native.ts";

/** Five actions with a sensor whose rows say their number. */
const episode = {
  path: "/data/red/one",
  manifest: { name: "one", task: "red", instruction: "" },
  robotTime: Float64Array.of(0, 1),
  robotState: new Float32Array(2 * 12),
  action: new Float32Array(5 * 7),
  actionTime: Float64Array.from({ length: 10 }, (_, i) => 0.2 + Math.ceil(i / 2) / 10),
  segment: new Int32Array(5),
  images: [],
  sensor: {
    time: Float64Array.from({ length: 650 }, (_, row) => row / 650),
    rows: 650,
    readRowsInto: (start: number, target: Float32Array) => {
      for (let i = 0; i < target.length; i++) {
        target[i] = Math.sin(start + Math.floor(i / 1026)) + i % 1026 / 1026;
      }
    },
  },
};
const config = preset("tiny");

Deno.test("the embedding of a sample is the mean of its sensor tokens", async () => {
  await startEngine({ engine: hasNative ? "tensorflow" : "wasm", quiet: true });
  const parameters = initialise(config, { seed: 1 });
  const dataset = new EpisodeDataset([episode]);
  const { values, dimensions } = await sensorEmbedding({ config, parameters }, dataset);
  assert.deepEqual([dimensions, values.length], [256, 5 * 256]);
  const { sensor } = dataset.readBatch([3]);
  const expected = await tf.tidy(() =>
    trocar.encodeSensor(
      parameters,
      config.sensorEncoder!,
      tf.tensor3d(sensor, [1, 65, 1026]),
      null,
      evaluation(),
    ).mean(1)
  ).data();
  expected.forEach((value, d) => {
    assert(Math.abs(values[3 * 256 + d]! - value) < 1e-4, `${d}: ${values[3 * 256 + d]} ${value}`);
  });
  tf.dispose(parameters);
});

Deno.test("policies without a sensor, or with another window, have no such embedding", async () => {
  const parameters = {}, dataset = new EpisodeDataset([episode]);
  const refused = (other: typeof config | ReturnType<typeof preset<"reference">>) =>
    assert.rejects(sensorEmbedding({ config: other, parameters }, dataset), RangeError);
  await refused(preset("tiny", { fusion: "none" }));
  await refused(preset("tiny", { temporalLength: 130 }));
  await refused(preset("tiny", { architecture: "reference" }));
});
