import { type ChunkOverlayInput, type ChunkSeries } from "../../plots/chunk_overlay.ts";
import type { ChunkPredictions } from "../chunk_predictions.ts";

/** More would be thinner than a pixel. */
const MOST_CHUNKS = 25;

/**
 * Chunks of the episode whose error is the median of all, one after the other without overlap; null
 * where the windows' times are not known.
 */
export function exampleStretch(chunks: ChunkPredictions): ChunkOverlayInput | null {
  const { time, dimensions, units, horizon } = chunks;
  if (time === undefined) return null;
  const windows = consecutive(chunks, time, typicalEpisode(chunks));
  const width = dimensions.length, size = horizon * width;
  const pick = (values: Float32Array | Float64Array) => {
    const picked = new Float64Array(windows.length * size);
    windows.forEach((w, i) => picked.set(values.subarray(w * size, (w + 1) * size), i * size));
    return picked;
  };
  const held = Float64Array.from({ length: windows.length * size }, (_, i) => {
    const window = windows[Math.floor(i / size)]!;
    return chunks.lastAction[window * width + i % width]!;
  });
  const series: ChunkSeries[] = [
    { name: "recorded", role: "truth", values: pick(chunks.truth) },
    { name: "hold last action", role: "holdLast", values: held },
    { name: "policy", role: "policy", values: pick(chunks.predicted) },
  ];
  const mask = new Uint8Array(windows.length * horizon);
  windows.forEach((w, i) =>
    mask.set(chunks.mask.subarray(w * horizon, (w + 1) * horizon), i * horizon)
  );
  return {
    title: "Chunks of a typical episode",
    dimensions,
    units,
    starts: windows.map((window) => time[window]!),
    horizon,
    mask,
    series,
  };
}

/** Whether more than half a second lies between the end of a chunk and the next. */
export function hasHoles({ starts, horizon }: ChunkOverlayInput): boolean {
  return Array.from(starts).some((start, i) =>
    i > 0 && start - starts[i - 1]! > 0.1 * horizon + 0.5
  );
}

/** Number of the episode whose mean squared error is the median. */
function typicalEpisode(chunks: ChunkPredictions): number {
  const { windows, horizon, dimensions, episode, mask, counted } = chunks;
  const sums = new Map<number, { error: number; count: number }>();
  for (let row = 0; row < windows * horizon; row++) {
    if (mask[row] === 0) continue;
    const of = episode[Math.floor(row / horizon)]!;
    const sum = sums.get(of) ?? { error: 0, count: 0 };
    for (const d of counted) {
      const at = row * dimensions.length + d;
      sum.error += (chunks.predicted[at]! - chunks.truth[at]!) ** 2;
    }
    sum.count++;
    sums.set(of, sum);
  }
  const sorted = [...sums].sort(([, a], [, b]) => a.error / a.count - b.error / b.count);
  return sorted[Math.floor((sorted.length - 1) / 2)]?.[0] ?? 0;
}

/** Windows of an episode, each beginning where the one before ends, or later. */
function consecutive(
  { episode, windows, horizon }: ChunkPredictions,
  time: Float64Array,
  of: number,
): number[] {
  const chosen: number[] = [];
  for (let window = 0; window < windows && chosen.length < MOST_CHUNKS; window++) {
    if (episode[window] !== of) continue;
    const last = chosen.at(-1);
    if (last === undefined || time[window]! >= time[last]! + 0.1 * horizon - 0.05) {
      chosen.push(window);
    }
  }
  return chosen;
}
