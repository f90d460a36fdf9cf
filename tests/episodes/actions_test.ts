import assert from "node:assert/strict";
import { extractActions, referenceActions } from "../../lib/episodes/actions.ts";
import { cleanTimes } from "../../lib/episodes/clean_times.ts";
import { log, range, rowsOf } from "./_logs.ts";

type Log = ReturnType<typeof log>;
const ours = ({ time, state }: Log, actionHz = 10) => extractActions(time, state, { actionHz });
const theirs = ({ time, state }: Log, actionHz = 10) => referenceActions(time, state, { actionHz });
const both = (input: Log, actionHz = 10) => [ours(input, actionHz), theirs(input, actionHz)];
const starts = (actions: { time: Float64Array }) =>
  rowsOf(actions.time, 2).map(([start]) => start!);
const dx = (actions: { action: Float32Array }) => rowsOf(actions.action, 7).map(([x]) => x!);
const pairs = (actions: { index: Int32Array }) => rowsOf(actions.index, 2);
/** Removes duplicates and disorder, as preprocessing does. */
function cleaned({ time, state }: Log): Log {
  const clean = cleanTimes(time);
  const rows = clean.rows ?? Int32Array.from(time, (_, row) => row);
  const kept = new Float32Array(rows.length * 12);
  rows.forEach((row, k) => kept.set(state.subarray(row * 12, row * 12 + 12), k * 12));
  return { time: clean.time, state: kept };
}
const close = (found: readonly number[], expected: readonly number[], tolerance = 1e-9) => {
  assert.equal(found.length, expected.length);
  found.forEach((value, k) =>
    assert(Math.abs(value - expected[k]!) <= tolerance, `${k}: ${value}`)
  );
};

Deno.test("uniform 100 Hz gives an action every 0.1 s", () => {
  const pose = (i: number) => [0.5 * i, -0.25 * i, 100 + 0.125 * i, 0, 0, i];
  for (const actions of both(log(range(41, (i) => 1000 + 0.01 * i), pose))) {
    assert.deepEqual(rowsOf(actions.action, 7), Array(4).fill([5, -2.5, 1.25, 0, 0, 10, 1]));
    close(starts(actions), [1000, 1000.1, 1000.2, 1000.3]);
    assert.equal(actions.segments, 1);
  }
  for (const actions of both(log(range(301, (i) => 1000 + 0.01 * i), pose))) {
    assert.equal(actions.segment.length, 30);
  }
});

Deno.test("stamps rounded to 1 ms with jitter give exact float32 differences", () => {
  let milliseconds = 0;
  const time = range(46, (i) => {
    const t = 1761551500 + milliseconds / 1000;
    milliseconds += [9, 11, 10, 12, 8][i % 5]!;
    return t;
  });
  for (const actions of both(log(time, (i) => [Math.fround(0.1 * i)]))) {
    assert.deepEqual(dx(actions), [1, 1, 1, 1]);
    close(starts(actions).map((t) => t - 1761551500), [0, 0.1, 0.2, 0.3], 1e-6);
  }
  const { meanHz } = theirs(log(time));
  assert.equal(Math.trunc(meanHz * 0.1 * 1.5), 14);
});

Deno.test("40 Hz gives the float32 differences bit for bit", () => {
  const input = log(
    range(14, (i) => 0.025 * i),
    (
      i,
    ) => [
      100 + 0.2 * i,
      -50 + 0.1 * i,
      200 - 0.5 * i,
      10 + 0.3 * i,
      -5 - 0.2 * i,
      144.3 + 0.05 * i,
    ],
  );
  for (const actions of both(input)) {
    assert.deepEqual(pairs(actions), [[0, 4], [4, 8], [8, 12]]);
    assert.deepEqual(rowsOf(actions.action, 7).slice(0, 2), [
      [
        0.8000030517578125,
        0.40000152587890625,
        -2,
        1.1999998092651367,
        -0.8000001907348633,
        0.1999969482421875,
        1,
      ],
      [
        0.7999954223632812,
        0.3999977111816406,
        -2,
        1.1999998092651367,
        -0.7999997138977051,
        0.1999969482421875,
        1,
      ],
    ]);
  }
});

Deno.test("angle differences are wrapped, the reference's are not", () => {
  const input = log([0, 0.05, 0.1, 0.15, 0.2], (row) => [
    0,
    0,
    0,
    [179, 179.6, -179.8, -179.2, -178.6][row]!,
  ]);
  const da = (actions: { action: Float32Array }) => rowsOf(actions.action, 7).map((row) => row[3]!);
  assert.deepEqual(da(theirs(input)), [-358.79998779296875, 1.1999969482421875]);
  close(da(ours(input)), [1.2, 1.2], 2e-5);
  const { rotation } = ours(input);
  close(rowsOf(rotation, 3).map((row) => Math.hypot(...row)), [1.2, 1.2], 2e-5);
});

Deno.test("actions per rate, uniform logs of 10 s: the reference loses those below 20 Hz", () => {
  const count = (hz: number, extract: typeof ours | typeof theirs) =>
    extract(log(range(Math.trunc(10 * hz) + 1, (k) => k / hz))).segment.length;
  // deno-fmt-ignore
  const reference: Record<number, number> = {
    5: 0, 8: 0, 10: 0, 12.5: 0, 14: 0, 15: 0, 19.9: 0, 20: 100, 21: 105, 22: 110, 24: 120, 25: 80,
    26: 0, 27: 90, 30: 100, 33: 110, 35: 109, 40: 100, 45: 108, 50: 100, 99: 99, 100: 100, 101: 101,
    125: 102, 200: 100, 1000: 100,
  };
  for (const [hz, actions] of Object.entries(reference)) {
    assert.equal(count(Number(hz), theirs), actions, `${hz} Hz`);
  }
  // deno-fmt-ignore
  const byTime: Record<number, number> = {
    8: 0, 9: 90, 10: 100, 11: 110, 12: 120, 15: 0, 16: 0, 18: 90, 20: 100, 25: 89, 26: 86,
  };
  for (const [hz, actions] of Object.entries(byTime)) {
    assert.equal(count(Number(hz), ours), actions, `${hz} Hz by time`);
  }
});

Deno.test("a short gap is spanned, and rows without a partner are skipped", () => {
  const time = [0, 0.02, 0.04, 0.06, ...range(14, (k) => 0.145 + 0.02 * k)];
  for (const actions of both(log(time, (row, t) => [row, 10 * t]))) {
    close(starts(actions), [0.04, 0.145, 0.245]);
    assert.deepEqual(dx(actions), [2, 5, 5]);
    close(rowsOf(actions.action, 7).map((row) => row[1]!), [1.05, 1, 1], 1e-6);
  }
  assert.equal(ours(log(time)).skipped, 2);
});

Deno.test("a long pause makes two segments; the reference loses everything", () => {
  const input = log([...range(101, (i) => 0.01 * i), ...range(101, (i) => 11 + 0.01 * i)]);
  assert.equal(theirs(input).segment.length, 0);
  const actions = ours(input);
  assert.deepEqual(dx(actions), Array(20).fill(10));
  close(starts(actions), [...range(10, (k) => k / 10), ...range(10, (k) => 11 + k / 10)]);
  assert.deepEqual([...actions.segment], [...Array(10).fill(0), ...Array(10).fill(1)]);
});

Deno.test("jittered 50 Hz", () => {
  const time = [
    ...[0, 0.018, 0.041, 0.06, 0.079, 0.112, 0.12, 0.139, 0.162, 0.181, 0.205, 0.219, 0.24, 0.262],
    ...[0.28, 0.301],
  ];
  for (const actions of both(log(time))) {
    close(starts(actions), [0, 0.112, 0.219]);
    assert.deepEqual(dx(actions), [5, 6, 4]);
  }
});

Deno.test("the reference's window of rows hides the nearest row, a search by time does not", () => {
  const input = log([0, 0.04, 0.09, 0.11, 0.15, 0.2]);
  assert.deepEqual(pairs(theirs(input)), [[0, 2], [3, 5]]);
  assert.deepEqual(pairs(ours(input)), [[0, 3], [3, 5]]);
});

Deno.test("of two rows equally near the earlier wins", () => {
  const input = log(range(25, (k) => k / 64).filter((_, k) => k !== 8));
  for (const actions of both(input, 8)) {
    assert.deepEqual(pairs(actions), [[0, 7], [7, 14], [14, 22]]);
    assert.deepEqual(dx(actions), [7, 7, 8]);
  }
});

Deno.test("duplicates: the reference uses the first of a pair, we drop all but the last", () => {
  const input = log(range(62, (k) => 0.01 * Math.floor(k / 2)));
  assert.deepEqual(dx(theirs(input)), [20, 20, 20]);
  assert.deepEqual(dx(ours(cleaned(input))), [20, 20, 20]);
  assert.equal(cleanTimes(input.time).duplicates, 31);
  const six = log(Array(6).fill(3));
  assert.equal(theirs(six).meanHz, 100);
  assert.equal(theirs(six).segment.length, 0);
  assert.deepEqual([...cleanTimes(six.time).rows!], [5]);
});

Deno.test("a backward jump is sorted; the reference chains through the rewound rows", () => {
  const input = log([0, 2, 4, 6, 8, 10, 5, 7, 9, 11, 13, 15, 17, 19, 21].map((t) => t / 100));
  assert.deepEqual(pairs(theirs(input)), [[0, 5], [5, 14]]);
  assert.deepEqual(dx(theirs(input)), [5, 9]);
  const clean = cleanTimes(input.time);
  assert.equal(clean.backwardJumps, 1);
  assert.deepEqual([...clean.time], [...input.time].sort((a, b) => a - b));
  close(starts(ours(cleaned(input))), [0, 0.1]);
});

Deno.test("two rows 0.1 s apart: an action by time, none for the reference", () => {
  const input = log([0, 0.1]);
  assert.equal(theirs(input).segment.length, 0);
  assert.equal(ours(input).segment.length, 1);
  assert.throws(() => theirs(log([0])), /at least 2 rows/);
});

Deno.test("the tolerance of 20 ms excludes its edge, in floating point", () => {
  for (const [gap, isAccepted] of [[0.0801, 1], [0.1199, 1], [0.08, 0], [0.1201, 0]] as const) {
    assert.equal(ours(log([0, gap])).segment.length, isAccepted, `${gap} s`);
    // 100 rows at 100 Hz behind the gap bring the reference's mean rate, and so its window, to 100 Hz.
    const tail = range(1000, (k) => gap + 5 + 0.01 * k);
    const reference = theirs(log([0, gap, ...tail]));
    assert.equal(pairs(reference).some(([start]) => start === 0), isAccepted === 1, `${gap} s`);
  }
});

Deno.test("search by time equals the reference on jittered logs of ordinary rates", () => {
  let state = 12345;
  const random = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
  const normal = () =>
    Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
  for (const hz of [50, 66, 100, 125, 200, 650]) {
    for (let trial = 0; trial < 200; trial++) {
      const time = range(3 * hz, (k) => (k + 0.1 * normal()) / hz).sort((a, b) => a - b);
      const input = log(time);
      assert.deepEqual(pairs(ours(input)), pairs(theirs(input)), `${hz} Hz, trial ${trial}`);
    }
  }
});

Deno.test("rows at the log's end that cannot start an action are no skipped rows", () => {
  const clean = ours(log(range(48, (k) => k / 100)));
  assert.deepEqual([clean.segment.length, clean.skipped], [4, 0]);
});
