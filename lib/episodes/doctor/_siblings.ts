import { dirname } from "node:path";
import type { LayoutName } from "../recording.ts";
import { listed, type Report } from "./_report.ts";

/** What recordings of one task are compared in. */
export interface RecordingFacts {
  readonly path: string;
  readonly name: string;
  readonly layout: LayoutName;
  readonly task: string;
  readonly views: readonly string[];
  readonly hasSensor: boolean;
}

/** Cameras of the recorders: four stereo cameras, one at the hand. */
const NUMBERS = [1, 2, 3, 4, 5];

/** Views and sensor against the recorder's cameras, and against the task's other recordings. */
export function checkSiblings(recordings: readonly RecordingFacts[], report: Report): void {
  const tasks = Map.groupBy(
    recordings.filter(({ layout }) => layout !== "meca500-log"),
    ({ layout, path }) => `${layout}\n${dirname(path)}`,
  );
  for (const siblings of tasks.values()) {
    for (const recording of siblings) checkViews(recording, siblings, report);
    checkSensors(siblings, report);
  }
}

function checkViews(
  recording: RecordingFacts,
  siblings: readonly RecordingFacts[],
  report: Report,
): void {
  const { path, layout, views, task } = recording;
  const cameras = layout === "captures" ? NUMBERS.slice(0, 4) : NUMBERS;
  const missing = cameras.filter((number) => views.every((view) => !isOf(view, number)))
    .map((number) => `View${number}`);
  const others = siblings.filter((other) => other !== recording);
  const usual = [...new Set(others.flatMap((other) => other.views))].filter((view) => {
    const holders = others.filter((other) => other.views.includes(view));
    return 2 * holders.length > others.length;
  });
  const unlike = usual.filter((view) =>
    !views.includes(view) && !missing.some((name) => isOf(view, Number(name.slice(4))))
  );
  if (missing.length + unlike.length === 0) return;
  const reasons = [
    ...(missing.length > 0 ? [`The recorder has the cameras ${cameras.join(", ")}`] : []),
    ...(unlike.length > 0 ? [`most other recordings of ${task} have it`] : []),
  ];
  report(
    "warning",
    "view.missing",
    path,
    `There should be images of ${[...missing, ...unlike].join(", ")}, current views are ${
      views.join(", ") || "none"
    }. ${reasons.join(", and ")}. Policies that look at that view will find it masked.`,
  );
}

function isOf(view: string, camera: number): boolean {
  return view === `View${camera}` || view.startsWith(`View${camera}_`);
}

function checkSensors(siblings: readonly RecordingFacts[], report: Report): void {
  const without = siblings.filter(({ hasSensor }) => !hasSensor);
  if (without.length === 0 || without.length === siblings.length) return;
  report(
    "warning",
    "sensor.mixed",
    dirname(siblings[0]!.path),
    `All recordings of a task should have the sensor or none, current value: ${
      siblings.length - without.length
    } have it, ${without.length} do not (${listed(without.map(({ name }) => name))}). Was the ` +
      "file lost? Training masks the sensor there.",
  );
}
