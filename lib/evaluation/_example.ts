import type { ChunkPredictions } from "./chunk_predictions.ts";

/** Four windows for examples: dx is predicted too small by 0.1 mm, dy and dz are right. */
export function exampleChunks(): ChunkPredictions {
  const windows = 4, horizon = 2, dimensions = ["dx", "dy", "dz"];
  const truth = Float64Array.from(
    { length: windows * horizon * 3 },
    (_, i) => i % 3 === 0 ? 0.1 * Math.floor(i / 6) : i % 3,
  );
  return {
    windows,
    horizon,
    dimensions,
    units: ["mm", "mm", "mm"],
    counted: [0, 1, 2],
    rotation: null,
    predicted: truth.map((value, i) => i % 3 === 0 ? value - 0.1 : value),
    truth,
    mask: new Uint8Array(windows * horizon).fill(1),
    episode: new Int32Array(windows),
    lastAction: Float64Array.of(0, 1, 2, 0, 1, 2, 0.1, 1, 2, 0.2, 1, 2),
    meanAction: [0.15, 1, 2],
  };
}
