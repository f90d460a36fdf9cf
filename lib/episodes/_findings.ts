import { plural } from "./_plural.ts";
import type { Finding, Recording } from "./recording.ts";
import type { AlignmentReport, StreamReport } from "./report.ts";

/** Cameras of the set-up: four ZED around the phantom, an OAK on the hand. */
const CAMERAS = [1, 2, 3, 4, 5];

type Add = (severity: Finding["severity"], code: string, where: string, message: string) => void;

/** Findings that follow from the figures. */
export function derivedFindings(recording: Recording, report: AlignmentReport): Finding[] {
  const findings: Finding[] = [];
  const add: Add = (severity, code, where, message) =>
    findings.push({ severity, code, where, message });
  const streams: [name: string, where: string, stream: StreamReport][] = [
    ["robot", recording.robot.file, report.robot],
    ...recording.views.map(({ name, folder }): [string, string, StreamReport] => [
      name,
      folder,
      report.views[name]!,
    ]),
  ];
  if (report.sensor !== null) streams.push(["sensor", recording.sensor!.file, report.sensor]);
  for (const [name, where, stream] of streams) addStreamFindings(name, where, stream, add);
  if ((report.sensor?.lostInWindows ?? 0) > 0) {
    add(
      "warning",
      "sensor.lost-in-windows",
      recording.sensor!.file,
      `sensor: ${
        plural(report.sensor!.lostInWindows, "row")
      } lost inside windows; the file does not tell ` +
        "where, so the rows around them are dated as late as they can have been.",
    );
  }
  const cameras = recording.views.map(({ name }) => Number(/^View(\d+)/.exec(name)?.[1]));
  // Older captures have no hand camera.
  const expected = CAMERAS.filter((camera) => camera < 5 || recording.layout !== "captures");
  const missing = expected.filter((camera) => cameras.length > 0 && !cameras.includes(camera));
  if (missing.length > 0) {
    const names = missing.map((camera) => `View${camera}`).join(", ");
    add("warning", "view.missing", recording.path, `There are no images of ${names}.`);
  }
  if (report.robot.angleWraps > 0) {
    add(
      "info",
      "robot.angle-wraps",
      recording.robot.file,
      `Angles cross ±180° ${plural(report.robot.angleWraps, "time")}.`,
    );
  }
  addClockFindings(recording, report, add);
  if (report.sensor !== null && report.actions > 0 && report.sensor.coverage < 0.5) {
    add(
      "warning",
      "sensor.coverage",
      recording.sensor!.file,
      `Only ${(report.sensor.coverage * 100).toFixed(1)} % of the actions' sensor rows exist; ` +
        "are the clocks of robot and sensor far apart? Give their difference with --clock-offset.",
    );
  }
  return findings;
}

function addStreamFindings(name: string, where: string, stream: StreamReport, add: Add): void {
  const kind = name === "robot" || name === "sensor" ? name : "view";
  const { gaps, lost, duplicates, overlapping, overlaps, backwardJumps, rejectedByClock } = stream;
  if (gaps.length > 0) {
    const longest = gaps.reduce((a, b) => b.seconds > a.seconds ? b : a);
    add(
      "warning",
      `${kind}.gaps`,
      where,
      `${name}: ${plural(gaps.length, "gap")}, ${plural(lost, "sample")} lost; the longest is ` +
        `${longest.seconds.toFixed(3)} s at ${longest.start.toFixed(3)}.`,
    );
  }
  if (duplicates > 0) {
    add(
      "warning",
      `${kind}.duplicates`,
      where,
      `${name}: ${plural(duplicates, "sample")} with the time of the next one; left out.`,
    );
  }
  if (backwardJumps > 0) {
    const what = rejectedByClock > 0
      ? `by more than a second, so ${
        plural(rejectedByClock, "sample")
      } beside the longest stretch ` +
        `${rejectedByClock === 1 ? "is" : "are"} left out.`
      : "samples are sorted by time" +
        (overlapping > 0 ? `, and ${overlapping} that meet another are left out.` : ".");
    add(
      "warning",
      `${kind}.backward`,
      where,
      `${name}: the clock went back ${plural(backwardJumps, "time")}; ${what}`,
    );
  }
  if (name === "robot" && stream.withoutTime > 0) {
    add(
      "warning",
      "robot.without-time",
      where,
      `robot: ${
        plural(stream.withoutTime, "row")
      } with a stamp far from both neighbours'; left out.`,
    );
  }
  for (const [start, end] of overlaps) {
    add(
      "warning",
      `${kind}.overlap`,
      where,
      `${name}: the clock was set back, so that ${(end - start).toFixed(3)} s from ` +
        `${start.toFixed(3)} on are recorded twice and samples of two moments are mixed there` +
        (name === "robot" ? "; data sets take no sample from this stretch." : "."),
    );
  }
}

function addClockFindings(recording: Recording, report: AlignmentReport, add: Add): void {
  for (const [stream, { seconds, source }] of Object.entries(report.clockOffsets)) {
    const isThere = stream === "sensor" ? report.sensor !== null : recording.views.length > 0;
    if (!isThere) continue;
    if (source === "assumed") {
      add(
        "info",
        "clock.assumed",
        recording.path,
        `No clock offset of the ${stream} is recorded; 0 is assumed.`,
      );
    } else if (seconds !== 0) {
      add(
        "info",
        "clock.offset",
        recording.path,
        `The ${stream}'s clock is ${Math.abs(seconds * 1000).toFixed(3)} ms ` +
          `${seconds > 0 ? "ahead" : "behind"} (${source}); corrected.`,
      );
    }
  }
  const ahead = recording.robot.aheadOfOrigin ?? 0;
  if (ahead !== 0) {
    add(
      "info",
      "clock.receiver",
      recording.robot.file,
      `The receiver's clock is ${
        (ahead * 1000).toFixed(3)
      } ms ahead of the robot's, way included; ` +
        "recorded offsets are taken against it.",
    );
  }
}
