import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import {
  applySplit,
  divideEpisodes,
  type EpisodeData,
  readSplit,
  splitEpisodes,
  splitParts,
  writeSplit,
} from "../../lib/datasets/mod.ts";
import { memoryEpisode, ticks } from "./_episode.ts";
import { temporaryPath } from "../_temporary.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

/** Recordings by task, each at another time. */
function collection(sizes: Readonly<Record<string, number>>): EpisodeData[] {
  return Object.entries(sizes).flatMap(([task, size]) =>
    Array.from({ length: size }, (_, k) => recording(task, `episode_${k}`))
  );
}

function recording(task: string, name: string): EpisodeData {
  const start = crc32(`${task}/${name}`);
  return memoryEpisode({ task, name, robotTime: ticks(201, 100, start) });
}

/** What a manifest says of a sensor's values. */
function sensorOf(crc32: number): Partial<EpisodeData["manifest"]> {
  return { arrays: { sensor: { dtype: "float32", shape: [0, 1026], crc32 } } };
}

/** The same recording in a folder of another name. */
function copyOf(episode: EpisodeData, name: string, task = episode.manifest.task): EpisodeData {
  return {
    ...episode,
    path: `/data/${task}/${name}`,
    manifest: { ...episode.manifest, task, name },
  };
}

const label = ({ task, name }: { task: string; name: string }) => `${task}/${name}`;
const sizes = fc.dictionary(
  fc.constantFrom("red", "blue", "Eye_trocar", "green"),
  fc.integer({ min: 1, max: 12 }),
  { minKeys: 1 },
).filter((tasks) => Object.values(tasks).some((size) => size >= 2));

Deno.test("splitEpisodes: is a partition, task by task, with at least one of each pair", () => {
  fc.assert(fc.property(
    sizes,
    fc.integer(),
    fc.double({ min: 0.01, max: 0.99, noNaN: true }),
    (tasks, seed, fraction) => {
      const episodes = collection(tasks);
      const { training, validation } = splitEpisodes(episodes, { seed, fraction });
      const both = [...training, ...validation].map(label);
      assert.deepEqual(both.sort(), episodes.map(({ manifest }) => label(manifest)).sort());
      for (const [task, size] of Object.entries(tasks)) {
        const count = validation.filter((entry) => entry.task === task).length;
        const expected = Math.min(size - 1, Math.max(1, Math.round(fraction * size)));
        assert.equal(count, expected);
      }
    },
  ));
});

Deno.test("splitEpisodes: the order of the input and the place on disk change nothing", () => {
  const generated = sizes.chain((tasks) => {
    const episodes = collection(tasks);
    const all = { minLength: episodes.length, maxLength: episodes.length };
    return fc.tuple(fc.constant(episodes), fc.shuffledSubarray(episodes, all), fc.integer());
  });
  fc.assert(fc.property(generated, ([episodes, shuffled, seed]) => {
    const moved = shuffled.map((episode) => ({ ...episode, path: `/elsewhere${episode.path}` }));
    assert.deepEqual(splitEpisodes(moved, { seed }), splitEpisodes(episodes, { seed }));
  }));
});

Deno.test("splitEpisodes: another seed draws others, evenly", () => {
  const episodes = collection({ red: 10 });
  const drawn = new Map<string, number>();
  for (let seed = 0; seed < 500; seed++) {
    const [only] = splitEpisodes(episodes, { seed }).validation;
    drawn.set(only!.name, (drawn.get(only!.name) ?? 0) + 1);
  }
  assert.equal(drawn.size, 10);
  // χ² with 9 degrees of freedom: 27.9 is exceeded once in a thousand
  const chi2 = [...drawn.values()].reduce((sum, n) => sum + (n - 50) ** 2 / 50, 0);
  assert(chi2 < 27.9, `${chi2}`);
});

Deno.test("splitEpisodes: one name in two tasks is two episodes, one twice in a task is refused", () => {
  const episodes = collection({ red: 2, blue: 2 });
  const { training, validation } = splitEpisodes(episodes);
  assert.equal(new Set([...training, ...validation].map(label)).size, 4);
  const twice = [...episodes, { ...episodes[0]!, path: "/copy" }];
  assert.throws(() => splitEpisodes(twice), /red\/episode_0 twice, in \/data.* and \/copy/);
});

Deno.test("splitEpisodes: a new recording does not send training episodes of its task to validation", () => {
  for (let size = 2; size < 30; size++) {
    const before = splitEpisodes(collection({ red: size }), { count: 1 });
    const after = splitEpisodes(collection({ red: size + 1 }), { count: 1 });
    const [old] = before.validation, [now] = after.validation;
    assert(now!.name === old!.name || now!.name === `episode_${size}`);
  }
});

Deno.test("splitEpisodes: counts per task; too few episodes and bad options are refused", () => {
  const episodes = collection({ red: 5, blue: 3, green: 1 });
  const counts = (split: ReturnType<typeof splitEpisodes>) =>
    ["red", "blue", "green"].map((task) =>
      split.validation.filter((entry) => entry.task === task).length
    );
  assert.deepEqual(counts(splitEpisodes(episodes, { count: { red: 3, green: 0 } })), [3, 1, 0]);
  assert.deepEqual(counts(splitEpisodes(episodes, { fraction: 0.5 })), [3, 2, 0]);
  assert.deepEqual(counts(splitEpisodes(collection({ red: 5, blue: 3 }), { count: 2 })), [2, 2, 0]);
  assert.throws(() => splitEpisodes(episodes, { count: 1 }), /task green has 1 episodes/);
  assert.throws(() => splitEpisodes(episodes, { count: { red: 5 } }), /task red has 5 .* is 5/);
  assert.throws(() => splitEpisodes(episodes, { count: { pink: 1 } }), /pink/);
  assert.throws(() => splitEpisodes(collection({ red: 1, blue: 1 })), /one task must have 2/);
  assert.throws(() => splitEpisodes([]), /one task must have 2/);
  for (const fraction of [0, 1, -0.1, NaN]) {
    assert.throws(() => splitEpisodes(episodes, { fraction }), /fraction must be above 0/);
  }
  assert.throws(() => splitEpisodes(episodes, { seed: 0.5 }), /seed must be an integer/);
});

Deno.test("split.json: comes back the same, divides the episodes, and notices changes", () => {
  const path = temporaryPath("split.json");
  const episodes = collection({ red: 5, blue: 3 });
  const split = splitEpisodes(episodes, { seed: 3 });
  writeSplit(path, split);
  const read = readSplit(path);
  assert.deepEqual(read, split);
  const { training, validation } = applySplit(read, [...episodes].reverse());
  assert.deepEqual(training.map(({ manifest }) => label(manifest)), split.training.map(label));
  assert.deepEqual(validation.map(({ manifest }) => label(manifest)), split.validation.map(label));

  assert.throws(
    () => applySplit(read, episodes.slice(1)),
    /1 differences: red\/episode_0 is missing/,
  );
  const more = [...episodes, recording("blue", "late")];
  assert.throws(() => applySplit(read, more), /blue\/late is new/);
  const changed = [...episodes];
  changed[6] = { ...changed[6]!, action: changed[6]!.action.map((value) => value + 1) };
  assert.throws(() => applySplit(read, changed), /blue\/episode_1 has changed/);
  const rebuilt = [...episodes];
  rebuilt[0] = { ...episodes[0]!, manifest: { ...episodes[0]!.manifest, ...sensorOf(5) } };
  assert.throws(() => applySplit(read, rebuilt), /red\/episode_0 has changed/);
});

Deno.test("split.json: an edited file is refused", () => {
  const path = temporaryPath("split.json");
  writeSplit(path, splitEpisodes(collection({ red: 5, blue: 3 })));
  const text = Deno.readTextFileSync(path);
  const edited = (from: string | RegExp, to: string) => {
    assert.notEqual(text.replace(from, to), text);
    Deno.writeTextFileSync(path, text.replace(from, to));
    return () => readSplit(path);
  };
  assert.throws(edited('"training"', '"validation"'), SyntaxError);
  assert.throws(edited("episode_0", "episode_9"), /digest should be/);
  assert.throws(edited('"seed": 0', '"seed": 1'), /digest should be/);
  assert.throws(edited('"seed": 0', '"seed": "0"'), /seed should be a number/);
  assert.throws(edited(/"task": "blue"/, '"task": null'), /\[0\]\.task should be a text/);
  assert.throws(edited(/^/, "["), SyntaxError);
});

Deno.test("splits: copies of a recording, under any name or task, stay on one side", () => {
  const episodes = collection({ red: 4, blue: 4 });
  const copies = episodes.map((episode, i) =>
    copyOf(episode, `copy ${i}`, i % 2 === 0 ? "green" : "red")
  );
  for (let seed = 0; seed < 20; seed++) {
    const { training, validation } = splitEpisodes([...episodes, ...copies], {
      seed,
      fraction: 0.4,
    });
    const trained = new Set(training.map(({ contents }) => contents));
    assert.ok(validation.every(({ contents }) => !trained.has(contents)), `seed ${seed}`);
    assert.equal(training.length + validation.length, 16);
  }
  const [original] = episodes, copy = copyOf(original!, "again");
  assert.throws(
    () => divideEpisodes([...episodes, copy], (episode) => episode === copy),
    /red\/again, which is a copy of red\/episode_0\. Leave one out/,
  );
  assert.throws(() => splitEpisodes([original!, copy]), /no copies of others/);
});

Deno.test("splits: one motion with other cameras, sensors or clocks is no copy", () => {
  const images = { left: ticks(20, 10), right: ticks(20, 10) };
  const parts = [
    {},
    { images: { left: images.left } },
    { images },
    { images: { ...images, right: ticks(20, 10, 0.01) } },
    { sensorTime: ticks(100, 650) },
    { sensorTime: ticks(100, 650, 0.2) },
    { sensorTime: ticks(100, 650), manifest: sensorOf(1) },
    { sensorTime: ticks(100, 650), manifest: sensorOf(2) },
    { robotTime: ticks(201, 100, 5) },
  ];
  const episodes = parts.map((part, k) => memoryEpisode({ name: `${k}`, ...part }));
  const { training, validation } = applySplit(splitEpisodes(episodes), episodes);
  assert.equal(training.length + validation.length, parts.length);
});

Deno.test("splitParts: a copy of a training episode has trained, also by files without contents", () => {
  const path = temporaryPath("split.json");
  const [first, second, other] = collection({ red: 3 });
  const copy = copyOf(first!, "copy"), seen = copyOf(second!, "copy of another");
  writeSplit(path, divideEpisodes([first!, second!], (episode) => episode === second));
  const split = readSplit(path);
  const parts = ["training", "validation", "new", "training", "new"];
  assert.deepEqual(splitParts(split, [first!, second!, other!, copy, seen]), parts);
  assert.deepEqual(splitParts(split, [copy]), ["training"]);

  const text = Deno.readTextFileSync(path), old = text.replace(/,\s*"contents": "\w+"/g, "");
  assert.notEqual(old, text);
  Deno.writeTextFileSync(path, old);
  assert.equal(readSplit(path).digest, split.digest);
  assert.deepEqual(splitParts(readSplit(path), [copy, second!, first!]), [
    ...["training", "validation", "training"],
  ]);

  // Earlier versions let copies validate.
  const [trained] = split.training, [validated] = divideEpisodes([copy], () => true).validation;
  const leaking = { ...split, training: [trained!], validation: [validated!] };
  assert.deepEqual(splitParts(leaking, [copy]), ["training"]);
});
