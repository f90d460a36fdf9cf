import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type IntervalRecord,
  type MultiViewRecord,
  readIntervalJson,
  type SingleViewRecord,
  writeIntervalJson,
} from "../../lib/formats/mod.ts";
import { seeded } from "./_seeded.ts";
import { rewriteFile, temporaryFolder } from "../_temporary.ts";

const folder = temporaryFolder();
const path = `${folder}/records.json`;

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const six = fc.array(number, { minLength: 6, maxLength: 6 });
const text = fc.string({ minLength: 1, unit: "grapheme" });
const KNOWN = /^(timestamp|images?|robot_state|time_diff_robot|sensor_interval|__proto__)$/;
const base = {
  timestamp: number,
  robotState: fc.record({ timestamp: number, jointAngles: six, eePose: six }, {
    noNullPrototype: true,
  }),
  timeDiffRobot: number,
  sensorInterval: fc.tuple(
    fc.double({ min: 0, max: 2e9, noNaN: true }),
    fc.double({ min: 0, max: 100, noNaN: true }),
  ).map(([start, span]) => ({ start, end: start + span, duration: start + span - start })),
  extra: fc.dictionary(
    text.filter((key) => !KNOWN.test(key)),
    fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value))),
    { minKeys: 1, noNullPrototype: true },
  ),
};
const requiredKeys = ["timestamp", "robotState", "timeDiffRobot"] as const;
const single = fc.record({ ...base, image: text }, {
  requiredKeys: [...requiredKeys, "image"],
  noNullPrototype: true,
});
const views = fc.array(fc.tuple(text, text), { minLength: 1 }).map((pairs) =>
  new Map(pairs.filter(([view]) => view !== "__proto__" && !/^\d+$/.test(view)))
).filter(({ size }) => size > 0);
const multi = fc.record({ ...base, images: views }, {
  requiredKeys: [...requiredKeys, "images"],
  noNullPrototype: true,
});

Deno.test("records are read back as they were written, and give the same bytes again", () => {
  const records = fc.oneof(fc.array(single), fc.array(multi)) as fc.Arbitrary<IntervalRecord[]>;
  fc.assert(
    fc.property(records, (written) => {
      writeIntervalJson(path, written);
      const bytes = Deno.readTextFileSync(path);
      const read = readIntervalJson(path);
      assert.deepEqual(read.map(byKind), written.map(byKind));
      writeIntervalJson(path, read);
      assert.equal(Deno.readTextFileSync(path), bytes);
    }),
    { numRuns: 200, seed: 1 },
  );
});

/** A view per line, because JavaScript sorts keys like "1" before the others. */
function byKind(record: IntervalRecord) {
  return "images" in record ? { ...record, images: [...record.images].sort() } : record;
}

const SINGLE = {
  timestamp: 101.006,
  image: "/data/recv_all_A/View1/left/zed_1_left_101.006.jpg",
  robot_state: {
    timestamp: 101.01,
    joint_angles: [0, -1.5, 2, 3, 4, 5],
    ee_pose: [190, 0, 308, 0, 90, 0],
  },
  time_diff_robot: 0.004,
  sensor_interval: { start: 100.503, end: 101.006, duration: 0.503 },
};
const { image: _, sensor_interval: __, ...REST } = SINGLE;
const MULTI = { ...REST, images: { View1_left: "/a.jpg", View5_oak: "/b.jpg" } };

function read(value: unknown): IntervalRecord[] {
  Deno.writeTextFileSync(path, JSON.stringify(value));
  return readIntervalJson(path);
}

Deno.test("both kinds are read with the names of this library", () => {
  const [one] = read([SINGLE]) as SingleViewRecord[];
  assert.deepEqual(one, {
    timestamp: 101.006,
    image: SINGLE.image,
    robotState: {
      timestamp: 101.01,
      jointAngles: SINGLE.robot_state.joint_angles,
      eePose: SINGLE.robot_state.ee_pose,
    },
    timeDiffRobot: 0.004,
    sensorInterval: SINGLE.sensor_interval,
  });
  const [many] = read([{ ...MULTI, session: "A", note: null }]) as MultiViewRecord[];
  assert.deepEqual(many!.images, new Map(Object.entries(MULTI.images)));
  assert.deepEqual(many!.extra, { session: "A", note: null });
  assert.equal(many!.sensorInterval, undefined);
  assert.deepEqual(read([]), []);
});

Deno.test("a wrong value is refused with record, key and value", () => {
  const robot = SINGLE.robot_state, interval = SINGLE.sensor_interval;
  const wrong: [unknown, RegExp][] = [
    [null, /record 1: it should be an object, current value is null\./],
    [[], /record 1: it should be an object/],
    [{}, /record 1: it should be a record with image or images, current value is \[\]\./],
    [{ ...SINGLE, images: {} }, /a record with image or images, current value is "both"/],
    [
      { ...SINGLE, timestamp: "101" },
      /timestamp should be a finite number, current value is "101"/,
    ],
    [{ ...SINGLE, image: 5 }, /image should be a path, current value is 5/],
    [{ ...SINGLE, image: "" }, /image should be a path/],
    [{ ...SINGLE, robot_state: null }, /robot_state should be an object/],
    [{ ...SINGLE, robot_state: { ...robot, timestamp: null } }, /robot_state.timestamp should be/],
    [{ ...SINGLE, robot_state: { ...robot, ee_pose: [1, 2] } }, /ee_pose should be 6 numbers/],
    [
      { ...SINGLE, robot_state: { ...robot, joint_angles: [0, 1, 2, 3, null, 5] } },
      /record 1: robot_state.joint_angles\[4\] should be a finite number, current value is null/,
    ],
    [{ ...SINGLE, time_diff_robot: undefined }, /time_diff_robot should be a finite number/],
    [{ ...SINGLE, sensor_interval: null }, /sensor_interval should be an object/],
    [{ ...SINGLE, sensor_interval: { ...interval, start: 102 } }, /at least its start 102/],
    [
      { ...SINGLE, sensor_interval: { ...interval, duration: 0.6 } },
      /duration should be end minus/,
    ],
    [MULTI, /at record 1: all records should be of one kind/],
  ];
  for (const [value, message] of wrong) {
    assert.throws(() => read([SINGLE, value]), (error) => {
      assert(error instanceof SyntaxError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  assert.throws(() => read([{ ...MULTI, images: { View1: 3 } }]), /images.View1 should be a path/);
  assert.throws(() => read([{ ...MULTI, images: {} }]), /images should be a path per view/);
  assert.throws(() => read({ records: [] }), /should be an array of records, .* object/);
  for (const bad of ["", "[", "[NaN]", '[{"a":1}', "\xff"]) {
    Deno.writeFileSync(path, Uint8Array.from(bad, (character) => character.charCodeAt(0)));
    assert.throws(() => readIntervalJson(path), /records.json: it should be JSON in UTF-8, but/);
  }
  Deno.writeTextFileSync(path, JSON.stringify([SINGLE]).replace("0.004", "1e999"));
  assert.throws(() => readIntervalJson(path), /time_diff_robot should be .* current value is Inf/);
});

Deno.test("records that could not be read again are not written, and the old file stays", () => {
  Deno.writeTextFileSync(path, "old");
  const [good] = [{ ...SINGLE }].map(({ image, timestamp }) => ({
    image,
    timestamp,
    robotState: { timestamp, jointAngles: [0, 0, 0, 0, 0, 0], eePose: [0, 0, 0, 0, 0, 0] },
    timeDiffRobot: 0,
  }));
  const wrong: IntervalRecord[] = [
    { ...good!, timestamp: NaN },
    { ...good!, robotState: { ...good!.robotState, eePose: [1] } },
    { ...good!, extra: { timestamp: 3 } },
    { timestamp: 0, robotState: good!.robotState, timeDiffRobot: 0, images: new Map([["a", "b"]]) },
  ];
  for (const record of wrong) {
    assert.throws(() => writeIntervalJson(path, [good!, record]), TypeError);
  }
  assert.equal(Deno.readTextFileSync(path), "old");
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["records.json"]);
});

Deno.test("20,000 damaged files are refused, or what they say is sound", () => {
  const random = seeded(1);
  const bases = [JSON.stringify([SINGLE, SINGLE]), JSON.stringify([MULTI, { ...MULTI, x: [1] }])];
  const pieces = [
    "null",
    "{}",
    "[]",
    "-",
    "1e400",
    '"',
    ",",
    ":",
    "}",
    "]",
    "0",
    "\\u0000",
    "é",
    "NaN",
  ];
  let accepted = 0;
  for (let run = 0; run < 20_000; run++) {
    let json = bases[run % 2]!;
    const at = random.below(json.length), size = random.below(3) === 0 ? random.below(20) : 0;
    const more = random.below(3) === 0 ? "" : pieces[random.below(pieces.length)]!;
    json = json.slice(0, at) + more + json.slice(at + size);
    if (random.below(8) === 0) json = json.slice(0, random.below(json.length));
    rewriteFile(path, json);
    try {
      for (const record of readIntervalJson(path)) sound(record);
      accepted++;
    } catch (error) {
      assert(error instanceof SyntaxError, String((error as Error).stack));
      assert.match(error.message, /^Cannot read .*records\.json(:| at record \d+:) /);
    }
  }
  assert(accepted > 1000 && accepted < 15_000, `${accepted} accepted`);
});

function sound(record: IntervalRecord): void {
  const { timestamp, robotState: { timestamp: robotTime, jointAngles, eePose } } = record;
  assert.equal(jointAngles.length, 6);
  assert.equal(eePose.length, 6);
  const numbers = [timestamp, record.timeDiffRobot, robotTime, ...jointAngles, ...eePose];
  assert(numbers.every((value) => typeof value === "number" && Number.isFinite(value)));
  const paths = "image" in record ? [record.image] : [...record.images.values()];
  assert(paths.length > 0 && paths.every((text) => typeof text === "string" && text !== ""));
  const { start, end, duration } = record.sensorInterval ?? { start: 0, end: 1, duration: 1 };
  assert(end >= start && Math.abs(end - start - duration) < 2e-6);
}
