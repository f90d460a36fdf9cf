import assert from "node:assert/strict";
import {
  type ClosedLoopPolicy,
  type ClosedLoopQuery,
  evaluateClosedLoop,
  type FailureReason,
} from "../../lib/evaluation/closed_loop/mod.ts";
import {
  createClosedLoop,
  expertVelocity,
  INSERTION_AXIS,
  sampleScene,
} from "../../lib/phantom/mod.ts";

/** Plans that follow from what is seen of each scene alone. */
const seeing: ClosedLoopPolicy = ({ scenes, vision, sensor, lastAction }) => {
  const chunks = new Float32Array(scenes * 56);
  for (let scene = 0; scene < scenes; scene++) {
    for (let i = 0; i < 56; i++) {
      const seen = vision[2048 * scene + 700 + i]! + sensor[66_690 * scene + 66_000 + i]! / 300 +
        lastAction[7 * scene + i % 7]! / 10;
      chunks[56 * scene + i] = i % 7 === 2 ? -Math.abs(seen) / 2 : seen / 20;
    }
  }
  return chunks;
};

Deno.test("the expert inserts in all 40 scenes", async () => {
  const report = await evaluateClosedLoop("expert");
  assert.equal(report.episodes, 40);
  assert.equal(report.successRate, 1);
  assert.deepEqual(report.failures, {});
  assert.deepEqual(Object.values(report.criteria), [1, 1, 1, 1, 1]);
  assert(report.lateralErrorMm.p50! < 0.02, "median lateral error 0.01 mm");
  assert(report.contactSpeedMmS.max! < 1.65, "contact at 1.6 mm/s or less");
  assert(report.depthErrorMm.max! < 0.1, "depth");
  assert.deepEqual(
    report.scenes.map(({ seed }) => seed),
    Array.from({ length: 40 }, (_, i) => 9000 + i),
  );
});

Deno.test("baselines do not insert, and what never touched has no lateral error", async () => {
  for (const policy of ["zero", "hold"] as const) {
    const report = await evaluateClosedLoop(policy, { episodes: 2 });
    assert.equal(report.successRate, 0);
    assert.deepEqual(report.failures, { "no-contact": 2 });
    assert.deepEqual(report.lateralErrorMm, { p50: null, p95: null, max: null, missing: 2 });
    assert(report.depthErrorMm.p50! > 5, "it ends far above the membrane");
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  }
});

Deno.test("a batch gives each scene what it would get alone", async () => {
  for (const quality of [null, 90]) {
    const options = { replanMs: 300, quality };
    const together = await evaluateClosedLoop(seeing, { ...options, episodes: 10 });
    for (const i of [0, 7, 9]) { // on both sides of a group
      const alone = await evaluateClosedLoop(seeing, {
        ...options,
        episodes: 1,
        sceneSeed: 9000 + i,
      });
      assert.deepEqual(alone.scenes[0], together.scenes[i]);
    }
    const { seconds: _, ...again } = await evaluateClosedLoop(seeing, { ...options, episodes: 10 });
    const { seconds: __, ...first } = together;
    assert.deepEqual(again, first, "the same scenes give the same report");
  }
});

Deno.test("plans are executed as ClosedLoop.apply executes them, k actions of each", async () => {
  for (const [replanMs, actions] of [[800, 8], [300, 3], [100, 1], [340, 3], [360, 4]] as const) {
    const chunks: Float32Array[] = [];
    const noting: ClosedLoopPolicy = async (query) => {
      chunks.push(await seeing(query) as Float32Array);
      return chunks.at(-1)!;
    };
    const report = await evaluateClosedLoop(noting, { episodes: 1, replanMs, quality: null });
    const run = createClosedLoop(sampleScene(9000));
    for (const chunk of chunks) run.apply(chunk, actions);
    assert.equal(report.queries, Math.ceil(100 / actions));
    assert.equal(report.replanMs, 100 * actions);
    const { depthError, lateralError } = run.result();
    assert.equal(report.scenes[0]!.depthErrorMm, depthError);
    assert.equal(
      report.scenes[0]!.lateralErrorMm,
      Number.isNaN(lateralError) ? null : lateralError,
    );
  }
});

Deno.test("a query shows the present of every scene, and nothing newer", async () => {
  const queries: (ClosedLoopQuery & { newest: number })[] = [];
  const noting: ClosedLoopPolicy = (query) => {
    const newest = Math.max(...query.sensorTimes);
    queries.push({ ...query, newest, lastAction: query.lastAction.slice() });
    return new Float32Array(2 * 56).map((_, i) => i % 7 === 0 ? 0.1 : 0);
  };
  await evaluateClosedLoop(noting, { episodes: 2, replanMs: 300, task: "Red_point" });
  const { length } = queries;
  assert.equal(length, 34);
  assert.deepEqual(
    queries.map(({ time }) => Math.round(100 * time)),
    queries.map((_, i) => 30 * i),
  );
  for (const query of queries) {
    assert.equal(query.vision.length, 2 * 2048);
    assert.equal(query.sensor.length, 2 * 65 * 1026);
    assert.deepEqual(query.instructions, new Array(2).fill("Perform Red point insertion task"));
    assert.deepEqual([query.vision[1920], query.vision[1922], query.vision[2048 + 1922]], [
      0,
      1,
      1,
    ]);
    assert.equal(query.sensorMask.length, 2 * 65);
    assert(query.sensorMask.every((mask) => mask === 1), "all rows are there");
    assert(Math.abs(query.newest - query.time) < 1e-9, "the newest sensor row is of now");
    assert(query.frameAge.every((age) => age >= -1e-9 && age < 0.2), "frames are 0 to 0.2 s old");
  }
  assert.deepEqual([...queries[0]!.lastAction], [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
  const { lastAction } = queries[5]!;
  assert(Math.abs(lastAction[7]! - 0.1) < 0.02, "1 mm/s in x, give or take the robot's noise");
  assert(Math.abs(lastAction[8]!) < 0.02, "nothing in y");
});

Deno.test("a latency delays every plan by itself and leaves the robot at rest before the first", async () => {
  const chunk = Float32Array.from({ length: 56 }, (_, i) => i % 7 === 2 ? -0.1 * (1 + i / 56) : 0);
  for (const latencyMs of [0, 30, 250, 900]) {
    const times: number[] = [];
    const policy: ClosedLoopPolicy = ({ time }) => {
      times.push(time);
      return chunk.map((value) => value * times.length);
    };
    const report = await evaluateClosedLoop(policy, {
      episodes: 1,
      replanMs: 200,
      latencyMs,
      quality: null,
    });
    assert.equal(times.length, 50, "it is asked as often as without latency");
    const run = createClosedLoop(sampleScene(9000));
    for (let step = 0; step < 1000; step++) {
      const since = step - latencyMs / 10;
      const plan = Math.floor(since / 20), action = Math.floor((since - 20 * plan) / 10);
      run.step(
        Float64Array.from(
          { length: 6 },
          (_, i) => since < 0 ? 0 : Math.fround(chunk[7 * action + i]! * (plan + 1)) / 0.1,
        ),
      );
    }
    assert.equal(report.scenes[0]!.depthErrorMm, run.result().depthError);
  }
});

Deno.test("a failure has the first reason that applies", async () => {
  /** The expert's velocities, changed, at 0.1 s; it may know the truth, this is a test. */
  const steered = (change: (velocity: Float64Array, depth: number) => void): ClosedLoopPolicy => {
    const run = createClosedLoop(sampleScene(9000)); // a twin that gets the same commands
    return () => {
      const chunk = new Float32Array(56);
      const velocity = expertVelocity(run.scene, run.pose, run.isPunctured);
      const along = [0, 1, 2].reduce(
        (sum, i) => sum + (run.pose[i]! - run.scene.target[i]!) * INSERTION_AXIS[i]!,
        0,
      );
      change(velocity, along - run.scene.membraneDistance);
      for (let i = 0; i < 6; i++) chunk[i] = velocity[i]! / 10;
      run.apply(chunk, 1);
      return chunk;
    };
  };
  const push = (velocity: Float64Array, speed: number) => {
    for (let i = 0; i < 3; i++) velocity[i]! += speed * INSERTION_AXIS[i]!;
  };
  const cases: [FailureReason | null, (velocity: Float64Array, depth: number) => void][] = [
    [null, () => {}],
    ["no-contact", (velocity, depth) => depth > -3 && velocity.fill(0)],
    ["lateral", (velocity, depth) => {
      if (depth > 0 || depth < -1) return;
      velocity.fill(0);
      push(velocity, 1.5);
      velocity[1]! += 2;
    }],
    ["contact-speed", (velocity, depth) => depth < 0 && depth > -4 && push(velocity, 4)],
    ["no-puncture", (velocity, depth) => depth > 0.1 && velocity.fill(0)],
    ["overshoot", (velocity, depth) => depth > 1.5 && depth < 2.6 && push(velocity, 2)],
    ["depth", (velocity, depth) => depth > 1.2 && push(velocity, -2)],
  ];
  for (const [reason, change] of cases) {
    const report = await evaluateClosedLoop(steered(change), {
      episodes: 1,
      replanMs: 100,
      quality: null,
    });
    assert.equal(report.scenes[0]!.reason, reason);
    assert.deepEqual(report.failures, reason === null ? {} : { [reason]: 1 });
  }
});

Deno.test("plans that cannot be executed are refused, naming scene, time and value", async () => {
  const broken: ClosedLoopPolicy = ({ scenes, time }) =>
    new Float32Array(scenes * 56).fill(time > 0.5 ? NaN : 0, 56 + 9, 56 + 10);
  await assert.rejects(
    evaluateClosedLoop(broken, { episodes: 2, replanMs: 300 }),
    (error: Error) =>
      error instanceof RangeError && /value 2 of action 1 must be finite/.test(error.message) &&
      /NaN in scene 9001 at 0.6 s/.test(error.message),
  );
  await assert.rejects(
    evaluateClosedLoop(() => [1], { episodes: 2 }),
    /2 × 8 × 7 values, current value is 1/,
  );
  const seventh: ClosedLoopPolicy = ({ scenes }) =>
    new Float32Array(scenes * 56).map((_, i) => i % 7 === 6 ? NaN : 0);
  await evaluateClosedLoop(seventh, { episodes: 1 }); // not used
  for (
    const [name, value] of [
      ["replanMs", 49],
      ["replanMs", 10_001],
      ["replanMs", NaN],
      ["episodes", 0],
      ["episodes", 1.5],
      ["latencyMs", -10],
      ["latencyMs", 15],
      ["horizon", 0],
      ["horizon", 1.5],
      ["sensorRows", 0],
      ["sensorRows", 2.5],
    ] as const
  ) {
    await assert.rejects(
      evaluateClosedLoop("zero", { episodes: 1, [name]: value }),
      (error: Error) => error instanceof RangeError && error.message.includes(`${name} must be`),
    );
  }
});

Deno.test("plans have as many actions as the option says, and k is no more than that", async () => {
  const chunk = (scenes: number, horizon: number) =>
    Float32Array.from({ length: scenes * horizon * 7 }, (_, i) => i % 7 === 2 ? -0.01 * i / 7 : 0);
  for (const [horizon, replanMs, actions] of [[4, 800, 4], [4, 300, 3], [16, 1600, 16]] as const) {
    const horizons = new Set<number>();
    const options = { horizon, replanMs, episodes: 2, quality: null };
    const report = await evaluateClosedLoop((query) => {
      horizons.add(query.horizon);
      return chunk(query.scenes, query.horizon);
    }, options);
    assert.deepEqual([...horizons], [horizon]);
    assert.equal(report.replanMs, 100 * actions);
    assert.equal(report.queries, Math.ceil(100 / actions));
    const run = createClosedLoop(sampleScene(9001));
    while (!run.isDone) run.apply(chunk(2, horizon).subarray(horizon * 7), actions);
    assert.equal(report.scenes[1]!.depthErrorMm, run.result().depthError);
    for (const policy of ["hold", "zero"] as const) {
      assert.equal((await evaluateClosedLoop(policy, options)).replanMs, 100 * actions);
    }
  }
  await assert.rejects(
    evaluateClosedLoop(() => new Float32Array(56), { episodes: 1, horizon: 4 }),
    /1 × 4 × 7 values, current value is 56/,
  );
});

Deno.test("a window may have any length: the same newest rows, and none from before -0.2 s", async () => {
  const windows = new Map<
    number,
    Pick<ClosedLoopQuery, "sensor" | "sensorMask" | "sensorTimes">[]
  >();
  for (const sensorRows of [10, 65, 650]) {
    const seen: Pick<ClosedLoopQuery, "sensor" | "sensorMask" | "sensorTimes">[] = [];
    await evaluateClosedLoop(({ scenes, sensor, sensorMask, sensorTimes }) => {
      seen.push({ sensor: sensor.slice(), sensorMask: sensorMask.slice(), sensorTimes });
      return new Float32Array(scenes * 56);
    }, { episodes: 2, sensorRows, quality: null });
    windows.set(sensorRows, seen);
  }
  for (const [query, long] of windows.get(650)!.entries()) {
    for (const rows of [10, 65]) {
      const short = windows.get(rows)![query]!;
      for (const scene of [0, 1]) {
        const newest = (values: Float32Array, all: number) =>
          values.subarray(((scene + 1) * all - rows) * 1026, (scene + 1) * all * 1026);
        assert.deepEqual(newest(short.sensor, rows), newest(long.sensor, 650));
      }
    }
    assert.deepEqual(
      [...long.sensorMask],
      [...long.sensorTimes].map((time) => time >= -0.2 - 1e-9 ? 1 : 0),
    );
    for (const row of [0, 518, 519, 649, 650, 1299]) {
      const force = long.sensor[1026 * row]!;
      assert.equal(force !== 0, long.sensorMask[row] === 1, `row ${row} of query ${query}`);
    }
  }
  const [first, second] = windows.get(650)!;
  assert.equal(first!.sensorMask.reduce((sum, mask) => sum + mask, 0), 2 * 131);
  assert.equal(second!.sensorMask.reduce((sum, mask) => sum + mask, 0), 2 * 650);
});

Deno.test("a signal stops a run, and progress ends at its end", async () => {
  const controller = new AbortController();
  const counting: ClosedLoopPolicy = ({ scenes, time }) => {
    if (time >= 1) controller.abort();
    return new Float32Array(scenes * 56);
  };
  const { signal } = controller;
  await assert.rejects(evaluateClosedLoop(counting, { episodes: 1, replanMs: 500, signal }), {
    name: "AbortError",
  });
  const seen: number[] = [];
  await evaluateClosedLoop("zero", { episodes: 1, onProgress: (done) => seen.push(done) });
  assert.equal(seen.length, 14);
  assert.deepEqual([seen[0], seen.at(-1)], [0, 10]);
});
