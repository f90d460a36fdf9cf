import { readJpegHeader } from "../formats/jpeg.ts";
import type { Finding, RecordedView } from "./recording.ts";

/** Leaves out images that are no JPEG or were cut short, by their first and last bytes. */
export function withoutDamagedImages(view: RecordedView, findings: Finding[]): RecordedView {
  const damaged = new Set<number>();
  let first: { where: string; message: string } | undefined;
  view.files.forEach((file, k) => {
    const where = `${view.folder}/${file}`;
    const message = problemOf(where);
    if (message === undefined) return;
    damaged.add(k);
    first ??= { where, message };
  });
  if (first === undefined) return view;
  findings.push({
    severity: "warning",
    code: "image.damaged",
    where: first.where,
    message: `${view.name}: ${damaged.size} ${damaged.size === 1 ? "image" : "images"} left out; ` +
      `the first: ${first.message}`,
  });
  return {
    ...view,
    files: view.files.filter((_, k) => !damaged.has(k)),
    time: view.time.filter((_, k) => !damaged.has(k)),
  };
}

function problemOf(path: string): string | undefined {
  try {
    return readJpegHeader(path).hasEnd ? undefined : "it was cut short: no end marker.";
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return error.message;
    if (error instanceof Deno.errors.NotFound) return "it is a link that leads nowhere.";
    throw error;
  }
}
