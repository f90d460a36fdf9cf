import {
  alignmentResiduals,
  chunkOverlay,
  confusionMatrix,
  embeddingScatter,
  type Figure,
  forceTimeline,
  frameAges,
  gantt,
  intervalHistogram,
  latencyPercentiles,
  latencyScaling,
  lossCurves,
  mMode,
  posePath2d,
  posePath3d,
  shareBars,
  stepErrors,
  streamTimeline,
  timeSeries,
  valueHistogram,
  wrappedDeltas,
} from "../../lib/plots/mod.ts";

/** One figure of each kind, from numbers that are the same everywhere. */
export const FIGURES: Readonly<Record<string, () => Figure>> = {
  stream_timeline: () =>
    streamTimeline([
      { name: "robot", start: 100, end: 112, gaps: [{ start: 104, seconds: 0.8 }] },
      {
        name: "View1",
        start: 100.2,
        end: 111.8,
        gaps: [{ start: 103, seconds: 2 }, { start: 108, seconds: 0.4 }],
      },
      { name: "View5", start: 100.1, end: 111.9, gaps: [] },
      { name: "sensor", start: 101, end: 112, gaps: [{ start: 105, seconds: 0.05 }] },
    ]),
  interval_histogram: () =>
    intervalHistogram([
      { name: "robot", intervalsMs: [...noise(1000).map((x) => 10 + x), 30, 810] },
      { name: "View1", intervalsMs: noise(60).map((x) => 200 + 20 * x) },
      { name: "sensor", intervalsMs: noise(4000).map((x) => 1.538 + 0.1 * x) },
    ]),
  value_histogram: () =>
    valueHistogram({
      title: "Length of features",
      axis: "L2 norm (1)",
      counted: "observations",
      values: [...noise(300).map((x) => 22 + 0.3 * x), ...noise(80).map((x) => 20 + 0.1 * x), NaN],
    }),
  alignment_residuals: () =>
    alignmentResiduals(
      steps(80, 0.1),
      noise(80).map((x, i) => Math.round(x) * 5 + (i === 40 ? 20 : 0)),
    ),
  frame_ages: () =>
    frameAges(
      steps(100, 0.1),
      [5, 4, 2].map((hz, v) => ({
        name: `View${v + 1}`,
        ageMs: steps(100, 0.1).map((t) => v === 1 && t > 6 ? (t - 6) * 1000 : t % (1 / hz) * 1000),
      })),
    ),
  pose_series: () =>
    timeSeries({
      title: "Pose of the tool",
      rows: [
        {
          title: "position",
          unit: "mm",
          series: (["x", "y", "z"] as const).map((name, i) => ({
            name,
            time: steps(200, 0.05),
            values: steps(200, 0.05).map((t) => 100 + 40 * i + 8 * Math.sin(t / 2 + i)),
          })),
        },
        {
          title: "orientation",
          unit: "deg",
          series: ["a", "b", "r"].map((name, i) => ({
            name,
            time: steps(200, 0.05),
            values: steps(200, 0.05).map((t) => 20 * i + 3 * Math.cos(t + i)),
          })),
        },
      ],
      events: [{ name: "contact", time: 7 }],
    }),
  pose_path_2d: () => posePath2d(paths()),
  pose_path_3d: () => posePath3d(paths()),
  wrapped_deltas: () => {
    const wrapped = steps(60, 0.1).map((t) => 0.4 * Math.sin(t));
    const angles = [{
      name: "r",
      raw: wrapped.map((x, i) => i === 31 ? x - 360 : i === 47 ? x + 360 : x),
      wrapped,
    }];
    return wrappedDeltas({ time: steps(60, 0.1), angles });
  },
  force: () => {
    const time = steps(3000, 1 / 650).map((t) => t > 2 ? t + 0.5 : t);
    const values = time.map((t, i) => 2.4 + noise(3000)[i]! * 0.03 + (t > 3.6 ? 0.6 : 0));
    return forceTimeline(time, values, { events: [{ name: "puncture", time: 3.6 }] });
  },
  m_mode: () => {
    const n = 120, depths = 100, values = new Float32Array(n * depths);
    const random = noise(n * depths);
    for (let i = 0; i < n; i++) {
      for (let d = 0; d < depths; d++) {
        const echo = 200 * Math.exp(-(((d - (80 - 0.5 * i)) / 3) ** 2));
        values[i * depths + d] = 40 * Math.exp(-d / 30) + echo + 8 * random[i * depths + d]!;
      }
    }
    const time = steps(n, 0.02).map((t) => t > 1.5 ? t + 0.3 : t);
    return mMode({ time, values, depths });
  },
  chunk_overlay: () =>
    chunkOverlay({
      title: "Chunks at their times",
      dimensions: ["dx", "dy"],
      units: ["mm", "mm"],
      starts: [0, 0.4, 0.8],
      horizon: 8,
      series: (["truth", "policy"] as const).map((role, s) => ({
        name: role,
        role,
        values: Array.from({ length: 3 * 8 * 2 }, (_, i) => Math.sin(i / 7) + 0.1 * s * (i % 3)),
      })),
    }),
  step_errors: () =>
    stepErrors({
      panels: [{
        title: "translation",
        unit: "mm",
        series: [
          { name: "policy", role: "policy", values: [0.01, 0.015, 0.021, 0.03] },
          { name: "hold last action", role: "holdLast", values: [0.01, 0.03, 0.05, 0.07] },
        ],
      }],
    }),
  loss_curves: () =>
    lossCurves(
      steps(60, 1).map((i) => ({
        global_step: i,
        "train/loss_step": Math.exp(-i / 20) + 0.05 + 0.02 * (i % 3),
        ...(i % 10 === 9 ? { "val/loss_epoch": Math.exp(-i / 20) + 0.1 } : {}),
      })),
    ),
  share_bars: () =>
    shareBars([
      { name: "New_dataset", requestedShare: 0.5, realisedShare: 0.51 },
      { name: "New_dataset2", requestedShare: 0.5, realisedShare: 0.49 },
    ]),
  latency: () =>
    latencyPercentiles([
      { name: "vision", p50: 142, p95: 230, p99: 310 },
      { name: "sensor", p50: 6, p95: 9, p99: 15 },
      { name: "policy", p50: 29, p95: 35, p99: 60 },
    ], { budgetMs: 100 }),
  latency_scaling: () =>
    latencyScaling({
      groups: [
        { name: "1280×720", tokens: [2392, 5980], milliseconds: [583, 1487] },
        { name: "640×360", tokens: [598, 1495], milliseconds: [164, 381] },
      ],
      fit: { baseMs: 22.3, perTokenMs: 0.242 },
    }),
  gantt_long: () =>
    gantt([
      { lane: "held: no features", start: 0, end: 0.4 },
      { lane: "held: old features", start: 4.2, end: 4.6 },
      { lane: "limited: speed", start: 0.5, end: 4.2 },
      { lane: "held: old features", start: 4.7, end: 5 },
    ], { from: 0, to: 11, title: "Limits and holds" }),
  gantt: () =>
    gantt([
      ...steps(5, 0.2).map((start) => ({ lane: "camera", start, end: start + 0.01 })),
      { lane: "vision", start: 0.02, end: 0.38 },
      { lane: "vision", start: 0.42, end: 0.8 },
      ...steps(10, 0.1).map((start) => ({
        lane: "policy",
        start: start + 0.03,
        end: start + 0.06,
      })),
    ], { title: "One second of control" }),
  confusion: () => confusionMatrix(["free", "contact"], [338, 3, 9, 50]),
  embedding: () => {
    const random = noise(240);
    return embeddingScatter({
      x: random.slice(0, 120).map((x, i) => x + 2 * (i % 3)),
      y: random.slice(120).map((y, i) => y + (i % 3 === 1 ? 2 : 0)),
      labels: Array.from({ length: 120 }, (_, i) => ["free", "contact", "inserted"][i % 3]!),
      axes: ["principal component 1", "principal component 2"],
    });
  },
};

function steps(n: number, step: number): number[] {
  return Array.from({ length: n }, (_, i) => Number((i * step).toFixed(6)));
}

function paths() {
  return [0, 1].map((k) => ({
    name: `episode ${k + 1}`,
    x: steps(100, 1).map((i) => 170 + i / 5 + k),
    y: steps(100, 1).map((i) => -10 + 6 * Math.sin(i / 25) + k * i / 40),
    z: steps(100, 1).map((i) => 260 - i / 3 + 3 * Math.cos(i / 15)),
  }));
}

let cached: number[] = [];

/** Numbers from −1 to 1 that look random, always the same (a linear congruential generator). */
function noise(n: number): number[] {
  if (cached.length < n) {
    let state = 1;
    cached = Array.from({ length: n }, () => {
      state = (state * 48271) % 2147483647;
      return state / 2147483647 * 2 - 1;
    });
  }
  return cached.slice(0, n);
}
