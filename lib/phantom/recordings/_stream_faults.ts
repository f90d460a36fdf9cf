import { DATAGRAM_ROWS } from "../_clocks.ts";
import { SENSOR_HZ } from "../_sensor.ts";
import type { Draws } from "./_robot_faults.ts";
import { spread } from "./_spread.ts";
import { filterFrames, filterSensor, type SensorRows, type Take } from "./_take.ts";

/** What a stream lost. */
export interface Loss {
  /** Rows or frames lost in all. */
  readonly lost: number;
  /** Number before any fault of the first row after each hole, or of each frame. */
  readonly rows: readonly number[];
}

/** Drops datagrams, `count` times as many in a row as `length` says. */
export function loseDatagrams(
  take: Take,
  sensor: SensorRows,
  { count, length, random, what }: { count: number; length: number; random: Draws; what: string },
): Loss {
  const last = sensor.datagram.at(-1) ?? 0;
  const starts = spread(random, count, { from: 1, to: last, length, apart: 1, what })
    .map(Math.floor);
  const lost = new Set(starts.flatMap((first) => Array.from({ length }, (_, i) => first + i)));
  take.sensor = filterSensor(sensor, (row) => !lost.has(sensor.datagram[row]!));
  const after = starts.map((first) => {
    const row = sensor.datagram.findIndex((number) => number >= first + length);
    return sensor.source[row]!;
  });
  return { lost: sensor.time.length - take.sensor.time.length, rows: after };
}

/** How many datagrams travel in so many seconds, rounded up. */
export function datagramsIn(seconds: number): number {
  return Math.ceil(seconds * SENSOR_HZ / DATAGRAM_ROWS);
}

/** Drops all frames of `count` spans; returns how many, and when the spans begin. */
export function cameraGaps(
  take: Take,
  seconds: number,
  count: number,
  random: Draws,
): { lost: number; starts: number[] } {
  const first = Math.min(...take.cameras.map(({ time }) => time[0] ?? Infinity));
  const last = Math.max(...take.cameras.map(({ time }) => time.at(-1) ?? -Infinity));
  const starts = spread(random, count, {
    from: first + 0.25,
    to: last - 0.25,
    length: seconds,
    apart: 0.5,
    what: `camera gaps of ${seconds} s`,
  });
  const isLost = (time: number) => starts.some((from) => time > from && time < from + seconds);
  const before = frameCount(take);
  take.cameras = take.cameras.map((frames) =>
    filterFrames(frames, (k) => !isLost(frames.time[k]!))
  );
  return { lost: before - frameCount(take), starts };
}

/** Drops single frames, never the first or last of a camera; returns which. */
export function loseFrames(
  take: Take,
  count: number,
  random: Draws,
): { view: string; time: number }[] {
  const places = spread(random, count, {
    from: 0,
    to: frameCount(take),
    length: 1,
    apart: 3,
    what: "lost frames",
  }).map(Math.floor);
  const lost: { view: string; time: number }[] = [];
  let start = 0;
  take.cameras = take.cameras.map((frames) => {
    const { length } = frames.time;
    const here = new Set(
      places.map((place) => place - start).filter((k) => k >= 0 && k < length)
        .map((k) => Math.min(Math.max(k, 1), length - 2)),
    );
    start += length;
    for (const k of here) lost.push({ view: frames.view, time: frames.time[k]! });
    return filterFrames(frames, (k) => !here.has(k));
  });
  return lost;
}

function frameCount({ cameras }: Take): number {
  return cameras.reduce((sum, { time }) => sum + time.length, 0);
}
