import type { EpisodeData } from "../../lib/datasets/mod.ts";

/** What a test wants to differ from a plain episode. */
export interface EpisodeParts {
  readonly name?: string;
  readonly task?: string;
  readonly robotTime?: Float64Array;
  readonly actionTime?: Float64Array;
  readonly segment?: Int32Array;
  readonly images?: Readonly<Record<string, Float64Array>>;
  readonly sensorTime?: Float64Array | null;
  readonly manifest?: Partial<EpisodeData["manifest"]>;
}

/** start, start + 1/hz, …: `count` times. */
export function ticks(count: number, hz: number, start = 0): Float64Array {
  return Float64Array.from({ length: count }, (_, k) => start + k / hz);
}

/** Starts and ends of actions of 0.1 s. */
export function tenths(count: number, start = 0): Float64Array {
  return Float64Array.from({ length: 2 * count }, (_, k) => start + Math.ceil(k / 2) / 10);
}

/**
 * An episode in memory whose values say where they are from: all values of action a are a, of robot row
 * r and of sensor row r they are r.
 */
export function memoryEpisode(parts: EpisodeParts = {}): EpisodeData {
  const { name = "one", task = "red" } = parts;
  const actionTime = parts.actionTime ?? tenths(20);
  const robotTime = parts.robotTime ?? ticks(201, 100);
  const sensorTime = parts.sensorTime ?? null;
  const count = actionTime.length / 2;
  return {
    path: `/data/${task}/${name}`,
    manifest: { name, task, instruction: `Perform the ${task} task`, ...parts.manifest },
    robotTime,
    robotState: repeated(robotTime.length, 12),
    action: repeated(count, 7),
    actionTime,
    segment: parts.segment ?? new Int32Array(count),
    images: Object.entries(parts.images ?? {}).map(([view, time]) => ({
      view,
      time,
      file: (k: number) => `/data/${task}/${name}/${view}/${k}.jpg`,
    })),
    sensor: sensorTime === null ? null : {
      time: sensorTime,
      rows: sensorTime.length,
      readRowsInto(start, target) {
        for (let i = 0; i < target.length; i += 1026) {
          target.fill(start + i / 1026, i, i + 1026);
        }
      },
    },
  };
}

function repeated(rows: number, width: number): Float32Array {
  return Float32Array.from({ length: rows * width }, (_, i) => Math.floor(i / width));
}

/** Runs of equal numbers: `[3, 2]` gives 0 0 0 1 1. */
export function runs(lengths: readonly number[]): Int32Array {
  return Int32Array.from(lengths.flatMap((length, s) => new Array<number>(length).fill(s)));
}
