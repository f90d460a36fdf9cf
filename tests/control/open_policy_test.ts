import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint, writeCheckpoint } from "../../lib/checkpoints/mod.ts";
import { openPolicy, predictChunk, usualCheckpoint } from "../../lib/control/mod.ts";
import { EpisodeDataset } from "../../lib/datasets/mod.ts";
import { startEngine } from "../../lib/engine/mod.ts";
import { openEpisode } from "../../lib/episodes/mod.ts";
import { findEpisodes, pixel2048 } from "../../lib/features/mod.ts";
import {
  type StoredTensor,
  type TensorArray,
  type TorchInput,
  writeTorchCheckpoint,
} from "../../lib/formats/mod.ts";
import { convert } from "../checkpoints/_convert.ts";
import { prepare, smallRun } from "../training/_small_run.ts";
import { temporaryFolder } from "../_temporary.ts";

await startEngine({ engine: "wasm", quiet: true });
const folder = Deno.realPathSync(temporaryFolder());
await prepare(folder);
const { run } = await smallRun(folder, "plain", { settings: { learningRate: 0.01 } });
const { run: averaged } = await smallRun(folder, "averaged", {
  settings: { learningRate: 0.01, emaDecay: 0.9 },
});

/** A batch of the episode with a sensor, and its dataset. */
function moments(sensorMilliseconds = 100) {
  const episodes = findEpisodes([join(folder, "episodes")]).map((path) => openEpisode(path));
  const dataset = new EpisodeDataset(episodes, {
    ...{ sensorMilliseconds, proprioceptionMilliseconds: null },
  });
  const rows = Array.from({ length: dataset.length }, (_, i) => i);
  const batch = dataset.readBatch(rows);
  const sample = batch.sensorRows.findIndex((count) => count > 0);
  assert.ok(sample >= 0, "a recording has a sensor");
  return { episodes, dataset, batch: dataset.readBatch([sample]) };
}

function observation(seed = 1) {
  const vision = Float32Array.from({ length: 2 * 2048 }, (_, i) => Math.sin(seed * i));
  const sensor = Float32Array.from({ length: 2 * 65 * 1026 }, (_, i) => 100 * Math.cos(seed * i));
  return { size: 2, vision, sensor };
}

Deno.test("a policy predicts finite chunks, the same each time", async () => {
  using policy = await openPolicy(run);
  const { horizon, actionDim } = policy.config.actionExpert;
  const chunks = await policy.predict(observation());
  assert.equal(chunks.length, 2 * horizon * actionDim);
  assert.ok(chunks.every(Number.isFinite));
  assert.deepEqual(await policy.predict(observation()), chunks);
  assert.notDeepEqual(await policy.predict(observation(2)), chunks);
  assert.equal(policy.isAveraged, false);
  assert.equal(policy.document!.epoch, 3);
});

Deno.test("what does not fit a policy is refused, naming the shape", async () => {
  using policy = await openPolicy(run);
  const { size, vision, sensor } = observation();
  await assert.rejects(
    policy.predict({ size, vision, sensor: sensor.subarray(1) }),
    /sensor must have \(2, 65, 1026\) values, current value is 133379/,
  );
  await assert.rejects(policy.predict({ size, vision: vision.subarray(1), sensor }), /vision must/);
  await assert.rejects(
    policy.predict({ size, vision, sensor, sensorMask: new Uint8Array(65) }),
    /sensorMask must have \(2, 65\) values/,
  );
});

Deno.test("a run's usual checkpoint is the final one, the best one after an early stop", async () => {
  const summary = join(run, "summary.json");
  assert.equal(usualCheckpoint(run), "final");
  Deno.writeTextFileSync(summary, JSON.stringify({ stopped: "early" }));
  assert.equal(usualCheckpoint(run), "best");
  Deno.writeTextFileSync(summary, JSON.stringify({ stopped: null }));
  assert.equal(usualCheckpoint(run), "final");
  Deno.removeSync(summary);

  const config = join(run, "config.json"), text = Deno.readTextFileSync(config);
  for (const [epochs, expected] of [[3, "final"], [9, "best"]] as const) {
    const settings = { training: { epochs } };
    Deno.writeTextFileSync(config, JSON.stringify({ ...JSON.parse(text), settings }));
    assert.equal(usualCheckpoint(run), expected, `3 of ${epochs} epochs`);
  }
  Deno.writeTextFileSync(config, text);

  for (const [name, after] of [["final", "best"], ["best", "latest"]] as const) {
    Deno.renameSync(join(run, `${name}.json`), join(run, `${name}.away`));
    assert.equal(usualCheckpoint(run), after);
    using checkpoint = openCheckpoint(run, { which: after });
    using policy = await openPolicy(run);
    assert.equal(policy.path, checkpoint.path);
  }
  for (const name of ["final", "best"]) {
    Deno.renameSync(join(run, `${name}.away`), join(run, `${name}.json`));
  }
});

Deno.test("where a checkpoint has averages of its parameters, they predict", async () => {
  const observed = observation();
  using policy = await openPolicy(averaged);
  assert.equal(policy.isAveraged, true);
  const found = await policy.predict(observed);

  // The same file with the averages in the place of the parameters, written by hand.
  using checkpoint = openCheckpoint(averaged, { which: "final" });
  const training = checkpoint.training()!;
  const keys = [...checkpoint.tensors.keys()];
  const write = async (name: string, choose: (key: string) => StoredTensor) => {
    const path = join(folder, name), contents = { config: checkpoint.config! };
    const tensors = new Map(keys.map((key) => [key, choose(key).read()]));
    await writeCheckpoint(path, { contents, tensors });
    return path;
  };
  const live = await write("live", (key) => checkpoint.tensors.get(key)!);
  const averages = await write(
    "averages",
    (key) => training.get(`ema.${key}`) ?? checkpoint.tensors.get(key)!,
  );
  using byHand = await openPolicy(averages);
  using other = await openPolicy(live);
  assert.deepEqual(found, await byHand.predict(observed));
  assert.notDeepEqual(found, await other.predict(observed));

  // A .pt file keeps them; a file of weights alone says that it does not.
  await convert(averaged, join(folder, "averaged.pt"), { which: "final" });
  using exported = await openPolicy(join(folder, "averaged.pt"));
  assert.equal(exported.isAveraged, true);
  assert.deepEqual(await exported.predict(observed), found);
  const weights = join(folder, "averaged.safetensors");
  const { remarks } = await convert(join(folder, "averaged.pt"), weights);
  assert.match(remarks.join("\n"), /\d+ of these are running averages of the parameters/);
  using unaveraged = await openPolicy(weights);
  assert.equal(unaveraged.isAveraged, false);
  assert.deepEqual(await unaveraged.predict(observed), await other.predict(observed));
});

Deno.test("averages of another shape in a .pt file are not predicted with", async () => {
  using checkpoint = openCheckpoint(averaged, { which: "final" });
  const parts = ["sensor_encoder", "action_expert"].map((part) => {
    const own = [...checkpoint.tensors].filter(([key]) => key.startsWith(`${part}.`));
    return [part, new Map(own.map(([key, tensor]) => [key.slice(part.length + 1), tensor.read()]))];
  }) as [string, Map<string, TensorArray>][];
  const [key] = [...checkpoint.training()!.keys()].filter((name) => name.startsWith("ema."));
  const wrong = { dtype: "float32", shape: [1], data: new Float32Array(1) } as const;
  const path = join(folder, "wrong.pt");
  const { config } = checkpoint.document!;
  writeTorchCheckpoint(
    path,
    new Map<string, TorchInput>([
      ...parts,
      [
        "config",
        new Map(
          Object.entries(config).map(([name, value]) => [
            name,
            typeof value === "object" && value !== null ? new Map(Object.entries(value)) : value,
          ]),
        ),
      ],
      ["ema_state_dict", new Map([[key!.slice("ema.".length), wrong]])],
    ]),
  );
  await assert.rejects(
    openPolicy(path),
    (error: Error) =>
      error instanceof SyntaxError &&
      /^Cannot load the averages of .*wrong\.pt: .* current value is float32 \(1\)/.test(
        error.message,
      ),
  );
});

Deno.test("damaged averages are not predicted with", async () => {
  using checkpoint = openCheckpoint(averaged, { which: "final" });
  const path = join(checkpoint.path, "training.safetensors");
  const bytes = Deno.readFileSync(path);
  Deno.writeFileSync(path, bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1));
  try {
    await assert.rejects(openPolicy(averaged), SyntaxError);
  } finally {
    Deno.writeFileSync(path, bytes);
  }
});

Deno.test("a chunk predicted from images is that of their features", async () => {
  using opened = await openPolicy(run);
  const extractor = pixel2048();
  const { name, identity } = extractor;
  const features = JSON.parse(JSON.stringify({ name, identity }));
  const policy = { ...opened, notes: { ...opened.notes!, features } };
  const { episodes, dataset, batch } = moments();
  const instruction = batch.instruction[0]!;
  const views = Object.fromEntries(
    identity.views.map((view) => [view, batch.image[dataset.views.indexOf(view)] ?? null]),
  );
  const [feature] = await extractor.extract([{
    views: identity.views.map((name) => ({ name, image: views[name]! })),
    instruction,
  }]);
  const { sensor, sensorMask } = batch;
  const chunk = await predictChunk(policy, { views, instruction, sensor, sensorMask });
  const vision = feature!.values;
  assert.deepEqual(chunk, await opened.predict({ size: 1, vision, sensor, sensorMask }));

  // Rows that are not there count for nothing, whatever stands in their place.
  const half = sensorMask.slice().fill(0, 0, 30);
  const with300 = sensor.slice().fill(300, 0, 30 * 1026);
  const masked = await predictChunk(policy, { views, instruction, sensor, sensorMask: half });
  const other = { views, instruction, sensor: with300 };
  assert.deepEqual(await predictChunk(policy, { ...other, sensorMask: half }), masked);
  assert.notDeepEqual(await predictChunk(policy, other), masked);

  // What is wrong with a moment is said.
  const [first] = identity.views;
  await assert.rejects(
    predictChunk(policy, { views: { ...views, [first!]: "nowhere.jpg" }, instruction }),
    (error: Error) =>
      error instanceof Deno.errors.NotFound && /there is no file nowhere\.jpg/.test(error.message),
  );
  await assert.rejects(
    predictChunk(policy, { views: { Other: null }, instruction }),
    /must be View1/,
  );
  await assert.rejects(predictChunk(opened, { views, instruction }), /name its visual features/);
  episodes.forEach((episode) => episode.close());
});
