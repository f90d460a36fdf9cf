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
    for (const eye of foldersIn(path).filter((inner) => inner === "left" || inner === "right")) {
      addView(views, `View${number}_${eye}`, `${path}/${eye}`, findings);
    }
    addView(views, `View${number}`, path, findings);
  }
  return views.sort((a, b) => a.name < b.name ? -1 : 1);
}

function foldersIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].filter(({ name, isDirectory, isSymlink }) =>
      isDirectory || (isSymlink && Deno.statSync(`${folder}/${name}`).isDirectory)
    ).map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
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
  views.push({
    name,
    folder,
    files: timed.map(({ file }) => file),
    time: Float64Array.from(timed, ({ time }) => time),
    withoutTime,
  });
}
