import assert from "node:assert/strict";
import fc from "fast-check";
import {
  assertStatisticsOf,
  type EpisodeData,
  episodeStatistics,
  quantileSorted,
  readStatistics,
  writeStatistics,
} from "../../lib/datasets/mod.ts";
import { memoryEpisode } from "./_episode.ts";
import { temporaryPath } from "../_temporary.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const fixture = JSON.parse(
  Deno.readTextFileSync(
    new URL("../../data-fixtures/datasets/statistics.json", import.meta.url),
  ),
);
type Dimension = readonly [scale: number, offset: number];

/** As `column` of make_statistics.py. */
function column(count: number, salt: number, [scale, offset]: Dimension): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, i) => ((Math.imul(i, 2654435761) + salt * 40503) >>> 0) / 2 ** 32 * scale + offset,
  );
}

function table(count: number, salt: number, dimensions: readonly Dimension[]): Float32Array {
  const values = new Float32Array(count * dimensions.length);
  dimensions.forEach((dimension, d) =>
    column(count, salt + d, dimension).forEach((value, i) =>
      values[i * dimensions.length + d] = value
    )
  );
  return values;
}

function fixtureEpisodes(): EpisodeData[] {
  const { action, state, force, aline } = fixture.dimensions;
  return fixture.episodes.map(
    ([name, actions, states, rows]: [string, number, number, number], e: number) => {
      const forces = column(rows, 2000 + 100 * e, force[0]);
      const alines = column(rows * 1025, 3000 + 100 * e, aline[0]);
      return {
        ...memoryEpisode({ name }),
        action: table(actions, 100 * e, action),
        robotState: table(states, 1000 + 100 * e, state),
        sensor: rows === 0 ? null : {
          time: new Float64Array(rows),
          rows,
          readRowsInto(start: number, target: Float32Array) {
            for (let row = start, i = 0; i < target.length; row++, i += 1026) {
              target[i] = forces[row]!;
              target.set(alines.subarray(row * 1025, (row + 1) * 1025), i + 1);
            }
          },
        },
      };
    },
  );
}

Deno.test("episodeStatistics: equals NumPy's, quantiles, minima and maxima to the last bit", () => {
  const found = episodeStatistics(fixtureEpisodes());
  for (const name of ["action", "proprioception", "force"] as const) {
    const expected = fixture[name], field = found[name]!;
    for (const key of ["count", "min", "max", "q01", "q50", "q99"] as const) {
      assert.deepEqual(field[key], expected[key], `${name}.${key}`);
    }
    for (let d = 0; d < expected.mean.length; d++) {
      near(field.mean[d]!, expected.mean[d], 1e-13, `${name}.mean[${d}]`);
      // Dimension 1 of the actions is 10,000 ± 0.0005: a sum of squares would lose its spread.
      near(field.std[d]!, expected.std[d], 1e-12, `${name}.std[${d}]`);
    }
  }
  assert.deepEqual(found.action?.constant, [6]);
  assert.deepEqual(found.proprioception?.constant, [9, 11]);
  assert.equal(found.proprioception?.std[11], 0); // 0.1 in float32, summed 3011 times
  const { aline } = found;
  for (const key of ["count", "min", "max"] as const) assert.equal(aline![key], fixture.aline[key]);
  near(aline!.mean, fixture.aline.mean, 1e-13, "aline.mean");
  near(aline!.std, fixture.aline.std, 1e-12, "aline.std");
});

/** Within float64 rounding of NumPy's pairwise sums. */
function near(value: number, expected: number, relative: number, what: string): void {
  // NumPy finds a spread of 1e-17 where all values are 0.1
  const absolute = 1e-15;
  assert(
    Math.abs(value - expected) <= relative * Math.abs(expected) + absolute,
    `${what}: ${value}`,
  );
}

Deno.test("episodeStatistics: the order of the episodes changes no bit", () => {
  const episodes = fixtureEpisodes();
  const expected = episodeStatistics(episodes);
  assert.deepEqual(episodeStatistics([...episodes].reverse()), expected);
  assert.deepEqual(expected.episodes.map(({ name }) => name), ["a", "b", "c"]);
});

Deno.test("episodeStatistics: equal values have their own mean and a deviation of exactly 0", () => {
  for (let n = 1; n < 60; n++) {
    const value = Math.fround(Math.sin(n));
    const episode = {
      ...memoryEpisode(),
      robotState: new Float32Array(12 * n).fill(value),
      sensor: {
        time: new Float64Array(n),
        rows: n,
        readRowsInto: (_: number, target: Float32Array) => target.fill(value),
      },
    };
    const { proprioception, aline } = episodeStatistics([episode]);
    assert.deepEqual([proprioception!.mean[3], proprioception!.std[3]], [value, 0]);
    assert.deepEqual([aline!.mean, aline!.std], [value, 0]);
  }
});

Deno.test("episodeStatistics: without sensor, actions or robot states a part is null", () => {
  const found = episodeStatistics([memoryEpisode({
    actionTime: new Float64Array(0),
    robotTime: new Float64Array(0),
  })]);
  assert.deepEqual(
    [found.action, found.proprioception, found.force, found.aline],
    [null, null, null, null],
  );
});

Deno.test("episodeStatistics: refuses values that are not finite, naming the place", () => {
  const broken = (change: (episode: EpisodeData) => void) => {
    const [, , episode] = fixtureEpisodes() as [EpisodeData, EpisodeData, EpisodeData];
    change(episode);
    return () => episodeStatistics([episode]);
  };
  const sensorValue = (at: number, value: number) => (episode: EpisodeData) => {
    const { readRowsInto } = episode.sensor!;
    Object.assign(episode.sensor!, {
      readRowsInto(start: number, target: Float32Array) {
        readRowsInto.call(this, start, target);
        if (start === 512) target[at] = value;
      },
    });
  };
  assert.throws(
    broken((episode) => episode.action[3 * 7 + 2] = NaN),
    /red\/c: action .* NaN at row 3, column 2/,
  );
  assert.throws(broken((episode) => episode.robotState[0] = -Infinity), /robot_state .* row 0/);
  assert.throws(broken(sensorValue(0, NaN)), /sensor .* NaN at row 512, column 0/);
  assert.throws(broken(sensorValue(2 * 1026 + 7, Infinity)), /Infinity at row 514, column 7/);
  assert.throws(() => episodeStatistics([]), /at least one training episode/);
});

Deno.test("quantileSorted: lies between its neighbours and grows with q", () => {
  fc.assert(fc.property(
    fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (values, p, q) => {
      const sorted = Float32Array.from(values).sort();
      const [low, high] = [Math.min(p, q), Math.max(p, q)].map((x) => quantileSorted(sorted, x));
      assert(low! >= sorted[0]! && high! <= sorted.at(-1)!);
      assert(low! <= high! + 1e-9 * Math.abs(high!));
      const at = (sorted.length - 1) * p;
      const found = quantileSorted(sorted, p);
      assert(found >= sorted[Math.floor(at)]! && found <= sorted[Math.ceil(at)]!);
    },
  ));
  assert.throws(() => quantileSorted(Float64Array.of(1), 1.1), RangeError);
});

Deno.test("writeStatistics and readStatistics: the same bits come back, and changes are noticed", () => {
  const path = temporaryPath("statistics.json");
  const action = {
    kind: "delta" as const,
    hz: 10,
    dimensions: ["dx"],
    units: ["mm"],
    euler: "mobile XYZ" as const,
    angles: "wrapped" as const,
    tolerance: 0.02,
    compat: false,
  };
  const episodes = fixtureEpisodes().map((episode) => ({
    ...episode,
    manifest: { ...episode.manifest, action },
  }));
  const statistics = episodeStatistics(episodes);
  writeStatistics(path, statistics);
  assert.deepEqual(readStatistics(path), statistics);
  assertStatisticsOf(readStatistics(path), [...episodes].reverse());
  assert.throws(() => assertStatisticsOf(statistics, episodes.slice(1)), /differ at red\/b/);

  const text = Deno.readTextFileSync(path);
  const changed = (from: string | RegExp, to: string) => {
    assert.notEqual(text.replace(from, to), text);
    Deno.writeTextFileSync(path, text.replace(from, to));
    return () => readStatistics(path);
  };
  assert.throws(changed('"name": "a"', '"name": "z"'), /digest should be/);
  assert.throws(changed('"hz": 10', '"hz": 20'), /digest should be/);
  assert.throws(changed('"angles": "wrapped"', '"angles": "bent"'), /angles should be one of/);
  assert.throws(changed(/"mean": \[\s*[^,]+,/, '"mean": ['), /action.mean should be a list of 7/);
  assert.throws(changed('"version": 1', '"version": 2'), /version should be 1/);
  assert.throws(changed(/"count": \d+/, '"count": null'), /action.count should be a number/);
  assert.throws(changed(/[^]{20}$/, ""), SyntaxError);
});
