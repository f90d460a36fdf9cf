import { ACTION_WIDTH, STATE_WIDTH } from "../actions.ts";
import type { Episode } from "../episode.ts";
import { wrapDegrees } from "../../robot/rotation.ts";
import { type Report, Violations } from "./_report.ts";

/** Poses are float32: differences computed elsewhere may be off by this, in mm and degrees. */
const POSE_TOLERANCE = 1e-4;
/** Differences of times near 2³¹ s are this exact, in seconds. */
const TIME_TOLERANCE = 1e-6;
const POSE = 6;
const NAMES = ["Δx", "Δy", "Δz", "Δa", "Δb", "Δr"];
const AGAIN = "Make the episode again with: deno task preprocess";

/** Actions against the robot's rows they come from. */
export function checkActions(episode: Episode, report: Report): void {
  const { path, action, segment } = episode;
  if (segment.length === 0) {
    report("error", "episode.no-actions", path, "The episode should hold actions, but has none.");
    return;
  }
  const rules = {
    values: new Violations(),
    gripper: new Violations(),
    index: new Violations(),
    difference: new Violations(),
    time: new Violations(),
    duration: new Violations(),
  };
  for (let k = 0; k < segment.length; k++) {
    const values = action.subarray(k * ACTION_WIDTH, (k + 1) * ACTION_WIDTH);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) rules.values.add(() => `action ${k}, value ${bad} is ${values[bad]}`);
    if (values[POSE] !== 1) rules.gripper.add(() => `action ${k} has ${values[POSE]}`);
    checkDuration(episode, k, rules.duration);
    if (episode.robotTime.length > 0) checkRows(episode, k, rules);
  }
  const { hz, tolerance } = episode.manifest.action;
  const say = (name: keyof typeof rules, code: string, file: string, rule: string) =>
    rules[name].report(report, `episode.${code}`, `${path}/${file}.npy`, rule, AGAIN);
  say("values", "action-values", "action", "Actions should be finite");
  say("gripper", "gripper", "action", "The 7th value of an action should be 1");
  say("index", "action-index", "action_index", "Actions should go from a robot row to a later one");
  say("difference", "actions", "action", "Actions should be differences of their rows' poses");
  say("time", "action-time", "action_time", "Actions should have the times of their robot rows");
  say(
    "duration",
    "duration",
    "action_time",
    `Actions should last ${1 / hz} s within ${tolerance * 1000} ms`,
  );
}

function checkDuration({ actionTime, manifest }: Episode, k: number, rule: Violations): void {
  const { hz, tolerance } = manifest.action;
  const seconds = actionTime[2 * k + 1]! - actionTime[2 * k]!;
  if (Math.abs(seconds - 1 / hz) <= tolerance + TIME_TOLERANCE) return;
  rule.add(() => `action ${k} lasts ${seconds.toFixed(4)} s`);
}

function checkRows(
  { robotTime, robotState, action, actionIndex, actionTime, manifest }: Episode,
  k: number,
  rules: Record<"index" | "difference" | "time", Violations>,
): void {
  const start = actionIndex[2 * k]!, end = actionIndex[2 * k + 1]!;
  if (!(start >= 0 && start < end && end < robotTime.length)) {
    rules.index.add(() => `action ${k} goes from row ${start} to ${end} of ${robotTime.length}`);
    return;
  }
  if (robotTime[start] !== actionTime[2 * k] || robotTime[end] !== actionTime[2 * k + 1]) {
    rules.time.add(() =>
      `action ${k} is from ${actionTime[2 * k]} to ${actionTime[2 * k + 1]}, its rows from ` +
      `${robotTime[start]} to ${robotTime[end]}`
    );
  }
  for (let d = 0; d < 6; d++) {
    const from = robotState[start * STATE_WIDTH + POSE + d]!;
    const to = robotState[end * STATE_WIDTH + POSE + d]!;
    const isWrapped = d >= 3 && manifest.action.angles !== "raw";
    const expected = isWrapped ? wrapDegrees(to - from) : to - from;
    const found = action[k * ACTION_WIDTH + d]!;
    const off = Math.abs(found - expected);
    // −180 and 180 are the same angle, one rounding apart.
    const distance = isWrapped && Math.abs(expected) > 179.9 ? Math.min(off, 360 - off) : off;
    if (distance <= POSE_TOLERANCE) continue;
    rules.difference.add(() => `action ${k} has ${NAMES[d]} ${found}, its rows give ${expected}`);
    return;
  }
}

/** Segments against the chaining of actions: one that starts where the last ended follows it. */
export function checkSegments(episode: Episode, report: Report): void {
  const { path, segment, actionIndex, actionTime, manifest } = episode;
  const chaining = new Violations();
  const overlaps = manifest.overlaps ?? [];
  const isInOverlap = (k: number) =>
    overlaps.some(([from, to]) => actionTime[2 * k]! <= to && actionTime[2 * k + 1]! >= from);
  for (let k = 1; k < segment.length; k++) {
    const follows = actionIndex[2 * k] === actionIndex[2 * k - 1] &&
      isInOverlap(k) === isInOverlap(k - 1);
    const step = segment[k]! - segment[k - 1]!;
    if (step === (follows ? 0 : 1)) continue;
    chaining.add(() =>
      `action ${k} ${follows ? "follows" : "does not follow"} action ${
        k - 1
      }, but their segments ` +
      `are ${segment[k]} and ${segment[k - 1]}`
    );
  }
  chaining.report(
    report,
    "episode.segments",
    `${path}/segment.npy`,
    "Actions should share a segment if and only if each starts where the last ended",
    AGAIN,
  );
  const listing = new Violations();
  let next = 0;
  for (const [n, { first, count, start, end }] of manifest.segments.entries()) {
    const last = first + count - 1;
    const fits = first === next && count > 0 && last < segment.length &&
      segment[first] === segment[last] && segment[last + 1] !== segment[last] &&
      start === actionTime[2 * first] && end === actionTime[2 * last + 1];
    if (!fits) listing.add(() => `segment ${n}: ${JSON.stringify({ first, count, start, end })}`);
    next = first + count;
  }
  if (next !== segment.length) {
    listing.add(() => `they hold ${next} actions in all, not ${segment.length}`);
  }
  listing.report(
    report,
    "episode.segments",
    `${path}/episode.json at segments`,
    "The segments listed should be those of the actions",
    AGAIN,
  );
}

/** Times that ascend, and states that are numbers. */
export function checkTimes(episode: Episode, report: Report): void {
  const { path, robotTime, robotState, images, sensor, manifest } = episode;
  const streams: [file: string, time: Float64Array][] = [
    ...(manifest.action.compat ? [] : [["robot_time", robotTime] as [string, Float64Array]]),
    ...images.map(({ view, time }): [string, Float64Array] => [`image_time_${view}`, time]),
    ...(sensor === null ? [] : [["sensor_time", sensor.time] as [string, Float64Array]]),
  ];
  for (const [file, time] of streams) {
    const order = new Violations();
    for (let k = 0; k < time.length; k++) {
      if (Number.isFinite(time[k]) && (k === 0 || time[k]! > time[k - 1]!)) continue;
      order.add(() => `${time[k]} in row ${k}${k === 0 ? "" : ` after ${time[k - 1]}`}`);
    }
    order.report(report, "episode.time-order", `${path}/${file}.npy`, "Times should ascend", AGAIN);
  }
  const values = new Violations();
  robotState.forEach((value, k) => {
    if (Number.isFinite(value)) return;
    values.add(() => `${value} in row ${Math.floor(k / STATE_WIDTH)}, column ${k % STATE_WIDTH}`);
  });
  const file = `${path}/robot_state.npy`;
  values.report(report, "episode.state-values", file, "Robot states should be finite", AGAIN);
}
