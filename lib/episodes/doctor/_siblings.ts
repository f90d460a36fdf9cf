import { dirname } from "node:path";
import type { LayoutName } from "../recording.ts";
import { plural } from "../_plural.ts";
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

/** Episodes of one recording: whoever trains on both sees the same data twice. */
export function checkSources(
  episodes: readonly { readonly path: string; readonly source: string }[],
  report: Report,
): void {
  for (const [source, same] of Map.groupBy(episodes, (episode) => episode.source)) {
    const [first, ...others] = same;
    if (others.length === 0) continue;
    report(
      "warning",
      "episode.same-source",
      first!.path,
      `It should be the only episode of ${source}, current value: ${
        listed(others.map(({ path }) => path))
      } too. Training on all of them counts the same data ${
        plural(same.length, "time")
      }: name one ` +
        "of them, or delete the others.",
    );
  }
}

/** Views and sensor against the task's other recordings. */
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
  const { path, views, task } = recording;
  const others = siblings.filter((other) => other !== recording);
  const lacking = [...new Set(others.flatMap((other) => other.views))].filter((view) => {
    const holders = others.filter((other) => other.views.includes(view));
    const hasCamera = views.some((own) => cameraOf(own) === cameraOf(view)); // else it is view.missing
    return hasCamera && !views.includes(view) && 2 * holders.length > others.length;
  });
  if (lacking.length === 0) return;
  report(
    "warning",
    "view.mixed",
    path,
    `There should be images of ${lacking.join(", ")}, as most other recordings of ${task} have, ` +
      `current views are ${views.join(", ")}. Policies that look at that view find it masked.`,
  );
}

function cameraOf(view: string): string {
  return view.replace(/_(left|right)$/, "");
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
