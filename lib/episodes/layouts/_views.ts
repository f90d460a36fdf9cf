import { isFolder } from "../../formats/_path.ts";
import { imageTime } from "../../formats/image_time.ts";
import type { Finding, RecordedView } from "../recording.ts";

/**
 * Views below a folder: `View1/left`, `View1/right`, or images directly in `View1`; `view5_oak` is
 * View5. Names are those of step 0: `View1_left`, `View1_right`, `View5`.
 */
export function readViews(folder: string, findings: Finding[]): RecordedView[] {
  const views: RecordedView[] = [];
  for (const name of foldersIn(folder)) {
    const number = /^view(\d+)(?:_oak)?$/i.exec(name)?.[1];
    if (number === undefined) continue;
    const path = `${folder}/${name}`;
    for (const eye of foldersIn(path).filter((inner) => /^(left|right)$/i.test(inner))) {
      addView(views, `View${number}_${eye.toLowerCase()}`, `${path}/${eye}`, findings);
    }
    addView(views, `View${number}`, path, findings);
  }
  views.sort((a, b) => a.name < b.name ? -1 : 1);
  const twice = views.findIndex(({ name }, k) => name === views[k + 1]?.name);
  if (twice >= 0) {
    const [one, other] = [views[twice]!, views[twice + 1]!];
    throw new SyntaxError(
      `Cannot tell the images of ${one.name}: one folder should hold them, current value is ` +
        `${one.folder} and ${other.folder}. Move one away.`,
    );
  }
  return views;
}

const DAY = 86_400; // seconds

function foldersIn(folder: string): string[] {
  if (!isFolder(folder)) return [];
  return [...Deno.readDirSync(folder)].filter(({ name, isDirectory, isSymlink }) =>
    isDirectory || (isSymlink && isFolder(`${folder}/${name}`))
  ).map(({ name }) => name).sort();
}

function addView(views: RecordedView[], name: string, folder: string, findings: Finding[]): void {
  const timed: { file: string; time: number }[] = [];
  let withoutTime = 0;
  let example = "";
  for (const entry of Deno.readDirSync(folder)) {
    if (entry.isDirectory || !/\.jpe?g$/i.test(entry.name) || entry.name.startsWith(".")) continue;
    const time = imageTime(entry.name);
    if (time === undefined) {
      withoutTime++;
      example = entry.name;
    } else timed.push({ file: entry.name, time });
  }
  if (withoutTime > 0) {
    findings.push({
      severity: "warning",
      code: "image.no-time",
      where: `${folder}/${example}`,
      message: `${withoutTime} images have no time stamp in their name; left out.`,
    });
  }
  if (timed.length === 0) {
    if (withoutTime > 0 || name.includes("_")) {
      findings.push({
        severity: "warning",
        code: "view.empty",
        where: folder,
        message: `${name} holds no image with a time stamp.`,
      });
    }
    return;
  }
  timed.sort((a, b) => a.time - b.time || (a.file < b.file ? -1 : 1));
  const middle = timed[timed.length >> 1]!.time;
  const dated = timed.filter(({ time }) => Math.abs(time - middle) < DAY);
  const stray = timed.find(({ time }) => Math.abs(time - middle) >= DAY);
  if (stray !== undefined) {
    findings.push({
      severity: "warning",
      code: "image.stray-time",
      where: `${folder}/${stray.file}`,
      message:
        `${timed.length - dated.length} of the images of ${name} are named after a time more ` +
        "than a day off the others'; left out.",
    });
  }
  views.push({
    name,
    folder,
    files: dated.map(({ file }) => file),
    time: Float64Array.from(dated, ({ time }) => time),
    withoutTime: withoutTime + timed.length - dated.length,
  });
}
