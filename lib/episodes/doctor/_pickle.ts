import { basename, dirname, join } from "node:path";
import { readDataPkl } from "../../formats/data_pkl.ts";
import { ACTION_WIDTH } from "../actions.ts";
import { checkPickle } from "../convert/_check_pickle.ts";
import { plural } from "../_plural.ts";
import { areOf, isDataError, listed, namesIn, type Report } from "./_report.ts";

/** Figures of a `data.pkl` that lies alone. */
export interface PickleFigures {
  readonly actions: number;
  readonly views: number;
  readonly hasSensor: boolean;
}

/** Every check of a `data.pkl` in a folder of its own; undefined if it cannot be read. */
export function checkPickleFolder(folder: string, report: Report): PickleFigures | undefined {
  const file = join(folder, "data.pkl");
  try {
    const data = readDataPkl(file);
    checkPickle(file, data);
    const images = [...data.image.values()].flat();
    reportMissing(file, images, report);
    report(
      "info",
      "pickle.no-times",
      file,
      "A data.pkl holds no times, so that neither holes nor the ages of images can be checked. Make " +
        "an episode of its recording with: deno task preprocess",
    );
    return {
      actions: data.action.length / ACTION_WIDTH,
      views: data.image.size,
      hasSensor: data.sensorData !== null,
    };
  } catch (error) {
    if (!isDataError(error)) throw error;
    report("error", "pickle.unreadable", file, error.message);
    return undefined;
  }
}

function reportMissing(file: string, images: readonly string[], report: Report): void {
  const folders = new Map<string, ReadonlySet<string>>();
  const missing = images.filter((image) => {
    const folder = dirname(image);
    const names = folders.get(folder) ?? new Set(namesIn(folder));
    folders.set(folder, names);
    return !names.has(basename(image));
  });
  if (missing.length === 0) return;
  report(
    "warning",
    "pickle.images-missing",
    file,
    `${missing.length} of the ${plural(images.length, "image")} that it names ` +
      `${areOf(missing.length)} not there: ${
        listed(missing, 1)
      }. It holds absolute paths: was the ` +
      "recording moved since? Make it again with: deno task preprocess --format data-pkl",
  );
}
