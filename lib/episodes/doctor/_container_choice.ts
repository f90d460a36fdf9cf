import type { Episode } from "../episode.ts";
import { basename, dirname } from "node:path";
import { plural } from "../_plural.ts";
import { areOf, listed, namesIn, type Report, Violations } from "./_report.ts";

/** Ages are float32, in seconds. */
const AGE_TOLERANCE = 1e-3;
/** Windows that other programs cut may be off by a rounding, in seconds. */
const EDGE_TOLERANCE = 1e-6;
const AGAIN = "Make the episode again with: deno task preprocess";

/** For each action and view the newest image at or before its start, and none that is newer. */
export function checkImageChoice(episode: Episode, report: Report): void {
  const { path, images, imageIndex, imageAge, actionTime, segment } = episode;
  const width = images.length;
  const causality = new Violations(), choice = new Violations(), age = new Violations();
  images.forEach(({ view, time }, v) => {
    for (let k = 0; k < segment.length; k++) {
      const start = actionTime[2 * k]!, index = imageIndex[k * width + v]!;
      if (index < -1 || index >= time.length) {
        choice.add(() => `action ${k}, ${view}: image ${index} of ${time.length}`);
        continue;
      }
      if (index >= 0 && time[index]! > start) {
        causality.add(() =>
          `action ${k} starts at ${start}, image ${index} of ${view} is of ${time[index]}`
        );
      } else if (time[index + 1]! <= start) {
        choice.add(() =>
          `action ${k} starts at ${start} and has image ${index} of ${view}, but image ` +
          `${index + 1} is of ${time[index + 1]}`
        );
      }
      const expected = index < 0 ? NaN : start - time[index]!;
      const found = imageAge[k * width + v]!;
      const isWell = Math.abs(found - expected) <= AGE_TOLERANCE ||
        (Number.isNaN(expected) && Number.isNaN(found));
      if (!isWell) age.add(() => `action ${k}, ${view}: ${found} s instead of ${expected} s`);
    }
  });
  const file = `${path}/image_index.npy`;
  causality.report(
    report,
    "episode.image-causality",
    file,
    "No image should be newer than its action's start: a policy cannot see the future",
    AGAIN,
  );
  choice.report(
    report,
    "episode.image-choice",
    file,
    "Each action should have the newest image at or before its start",
    AGAIN,
  );
  age.report(
    report,
    "episode.image-age",
    `${path}/image_age.npy`,
    "Ages should be the time from the image to the action's start, NaN without an image",
    AGAIN,
  );
}

/** For each action the sensor rows of the window before its start, all of them, and none after. */
export function checkSensorChoice(episode: Episode, report: Report): void {
  const { path, sensor, actionTime, segment, manifest: { sensorWindow } } = episode;
  if (sensor === null) return;
  const { time, range } = sensor;
  const causality = new Violations(), choice = new Violations();
  for (let k = 0; k < segment.length; k++) {
    const at = actionTime[2 * k]!, from = range[2 * k]!, to = range[2 * k + 1]!;
    if (!(from >= 0 && from <= to && to <= time.length)) {
      choice.add(() => `action ${k} has rows ${from} to ${to} of ${time.length}`);
      continue;
    }
    if (to > from && time[to - 1]! > at) {
      causality.add(() => `action ${k} starts at ${at}, row ${to - 1} is of ${time[to - 1]}`);
      continue;
    }
    const opens = at - sensorWindow;
    const isTooOld = to > from && time[from]! < opens - EDGE_TOLERANCE;
    const lacksOld = from > 0 && time[from - 1]! > opens + EDGE_TOLERANCE;
    const lacksNew = time[to]! <= at - EDGE_TOLERANCE;
    if (!(isTooOld || lacksOld || lacksNew)) continue;
    choice.add(() =>
      `action ${k}, window ${opens} to ${at}, has rows ${from} to ${to}, of ${time[from]} to ` +
      `${time[to - 1]}`
    );
  }
  const file = `${path}/sensor_range.npy`;
  causality.report(
    report,
    "episode.sensor-causality",
    file,
    "No sensor row should be later than its action's start: a policy cannot feel the future",
    AGAIN,
  );
  choice.report(
    report,
    "episode.sensor-range",
    file,
    `Each action should have the sensor rows of the ${sensorWindow} s before its start`,
    AGAIN,
  );
}

/** Whether the images are where the container says. */
export function checkImageFiles({ path, images }: Episode, report: Report): void {
  for (const { view, time, file } of images) {
    const folders = new Map<string, Set<string>>();
    const missing: string[] = [];
    for (let k = 0; k < time.length; k++) {
      const image = file(k), folder = dirname(image);
      let names = folders.get(folder);
      if (names === undefined) folders.set(folder, names = new Set(namesIn(folder)));
      if (!names.has(basename(image))) missing.push(image);
    }
    if (missing.length === 0) continue;
    report(
      "error",
      "episode.images-missing",
      `${path}/images.json at ${view}`,
      `${missing.length} of the ${plural(time.length, "image")} of ${view} ${
        areOf(missing.length)
      } not there: ${
        listed(missing, 1)
      }. Paths are relative: the recording and its episode move together. Bring them back, or make ` +
        "the episode again.",
    );
  }
}
