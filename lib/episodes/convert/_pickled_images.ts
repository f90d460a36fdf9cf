import { basename, dirname, join, relative, sep } from "node:path";
import type { DataPkl } from "../../formats/data_pkl.ts";
import { imageTime } from "../../formats/image_time.ts";
import type { Finding, RecordedView } from "../recording.ts";
import { isThere } from "../../formats/_path.ts";

/** Names become parts of file names. */
const VIEW_NAME = /^\w[\w.-]*$/;

/**
 * The views of a `data.pkl`: its image lists in order of the times in the names. Paths that are no
 * longer there are looked for below the pickle's own folder, under their last parts.
 */
export function pickledViews(
  path: string,
  { image }: DataPkl,
  roots: readonly string[],
  findings: Finding[],
): RecordedView[] {
  const views: RecordedView[] = [];
  for (const [name, listed] of image) {
    if (!VIEW_NAME.test(name)) {
      throw new SyntaxError(
        `Cannot read ${path}: the views of image should have names of letters, digits, "_", "-" ` +
          `and ".", current value is ${JSON.stringify(name)}.`,
      );
    }
    const timed = listed.flatMap((file) => {
      const time = imageTime(file);
      return time === undefined ? [] : [{ file, time }];
    }).sort((a, b) => a.time - b.time || (a.file < b.file ? -1 : 1));
    if (timed.length < listed.length) {
      warn(
        findings,
        "image.no-time",
        path,
        `${name}: ${images(listed.length - timed.length)} no time stamp in the name; left out.`,
      );
    }
    if (timed.length === 0) continue;
    const moved = rootedAt(timed[0]!.file, roots);
    if (moved === undefined) {
      warn(
        findings,
        "image.missing",
        timed[0]!.file,
        `${name}: the images are not where the file says, nor beside it.`,
      );
    }
    const { from, to } = moved ?? { from: "", to: "" };
    const files = timed.map(({ file }) =>
      file.startsWith(from) ? to + file.slice(from.length) : file
    );
    const folder = dirname(files[0]!);
    views.push({
      name,
      folder,
      files: files.map((file) =>
        dirname(file) === folder ? basename(file) : relative(folder, file)
      ),
      time: Float64Array.from(timed, ({ time }) => time),
      withoutTime: listed.length - timed.length,
    });
  }
  return views.sort((a, b) => a.name < b.name ? -1 : 1);
}

function images(count: number): string {
  return count === 1 ? "1 image has" : `${count} images have`;
}

/** Which beginning of a path has to be replaced by what, so that the file is there. */
function rootedAt(
  file: string,
  roots: readonly string[],
): { readonly from: string; readonly to: string } | undefined {
  if (isThere(file)) return { from: "", to: "" };
  const parts = file.split("/");
  // …/images/View1/left/name.jpg: three folders at most lie inside a recording.
  for (let kept = 2; kept <= Math.min(4, parts.length - 1); kept++) {
    const inside = parts.slice(-kept).join("/");
    const root = roots.find((root) => isThere(join(root, inside)));
    if (root !== undefined) return { from: file.slice(0, -inside.length), to: root + sep };
  }
  return undefined;
}

function warn(findings: Finding[], code: string, where: string, message: string): void {
  findings.push({ severity: "warning", code, where, message });
}
