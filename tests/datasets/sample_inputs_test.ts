import assert from "node:assert/strict";
import {
  divideEpisodes,
  EpisodeDataset,
  sampleInputs,
  splitOverview,
  withoutInputs,
} from "../../lib/datasets/mod.ts";

/** An episode of 20 actions in two segments; rows of force say their number. */
function episode(name: string) {
  const cameras = ["View1_left", "View5"];
  return {
    path: `/data/red/${name}`,
    manifest: { name, task: "red", instruction: "Insert the needle" },
    robotTime: Float64Array.from({ length: 230 }, (_, row) => row / 100 + name.length / 1000),
    robotState: Float32Array.from({ length: 230 * 12 }, (_, i) => Math.floor(i / 12)),
    action: Float32Array.from({ length: 20 * 7 }, (_, i) => i),
    actionTime: Float64Array.from({ length: 40 }, (_, i) => 0.1 + Math.ceil(i / 2) / 10),
    segment: Int32Array.from({ length: 20 }, (_, action) => action < 12 ? 0 : 1),
    images: cameras.map((view, v) => ({
      view,
      time: Float64Array.from({ length: 10 }, (_, frame) => 0.15 + frame / 5 + v / 50),
      file: (frame: number) => `${view}/${frame}.jpg`,
    })),
    sensor: {
      time: Float64Array.from({ length: 1400 }, (_, row) => row / 650),
      rows: 1400,
      readRowsInto: (start: number, target: Float32Array) => {
        for (let i = 0; i < target.length; i++) target[i] = start + Math.floor(i / 1026);
      },
    },
  };
}

Deno.test("a sample's inputs have the times at which they were recorded, none after now", () => {
  const one = episode("one"), dataset = new EpisodeDataset([one], { horizon: 8 });
  for (let sample = 0; sample < dataset.length; sample++) {
    const { now, sensor, robot, images, chunk, action } = sampleInputs(dataset, sample);
    assert.equal(now, dataset.time(sample));
    // Force and state say the numbers of their rows, whose times are known.
    sensor.time.forEach((time, row) => assert.equal(time, one.sensor.time[sensor.force[row]!]));
    robot.time.forEach((time, row) => assert.equal(time, one.robotTime[robot.state[row * 12]!]));
    assert(Math.max(...sensor.time) <= now && Math.max(...robot.time) <= now);
    assert(now - sensor.time.at(-1)! < 1 / 650 && now - robot.time.at(-1)! <= 0.01);
    for (const { file, time, view } of images) {
      assert(!(time > now) && (file === null) === Number.isNaN(time), view);
    }
    const left = (action < 12 ? 12 : 20) - action;
    assert.equal(chunk.time.length, Math.min(8, left));
    assert.equal(chunk.actions.length, 7 * chunk.time.length);
    assert(chunk.time.every((time, step) => time === one.actionTime[2 * (action + step) + 1]));
    assert(chunk.time[0]! > now && chunk.actions[0] === 7 * action);
  }
  assert.throws(() => sampleInputs(dataset, 20), RangeError);
});

Deno.test("inputs that a data set does not serve are empty", () => {
  const dataset = new EpisodeDataset([{ ...episode("one"), sensor: null, images: [] }], {
    proprioceptionMilliseconds: null,
  });
  const { sensor, robot, images } = sampleInputs(dataset, 3);
  assert.deepEqual([sensor.time.length, robot.time.length, images.length], [0, 0, 0]);
});

Deno.test("an episode without an input is as if that had never delivered, the other stays", () => {
  const one = episode("one");
  const hidden = withoutInputs(one, { sensor: true, views: ["View1"] });
  const [seen, whole] = [hidden, one].map((each) => new EpisodeDataset([each]).readBatch([15]));
  assert.deepEqual([...seen!.imageIndex], [-1, whole!.imageIndex[1]]);
  assert.deepEqual([seen!.sensorRows[0], whole!.sensorRows[0]], [0, 65]);
  assert(seen!.sensor.every((value) => value === 0) && seen!.sensorMask.every((is) => is === 0));
  assert.deepEqual(seen!.actions, whole!.actions);
  assert(whole!.image.every((file) => file !== null));
  assert.deepEqual(withoutInputs(one, {}), one);
  assert.throws(() => withoutInputs(one, { views: ["View9"] }), /View1, View5/);
});

Deno.test("the overview of a split has each episode once, on its side", () => {
  const episodes = ["a", "bb", "ccc"].map(episode);
  const split = divideEpisodes(episodes.slice(0, 2), ({ manifest }) => manifest.name === "bb");
  assert.deepEqual(
    splitOverview(split, episodes).map(({ part, name }) => `${part} ${name}`),
    ["new ccc", "training a", "validation bb"],
  );
  const [row] = splitOverview(split, episodes);
  assert.deepEqual([row!.actions, row!.segments], [20, 2]);
  assert(Math.abs(row!.seconds - 2) < 1e-9);
});
