import { join } from "node:path";
import { faultStream } from "./_apply_faults.ts";
import type { WrittenFiles } from "./_layout_writer.ts";
import { blankCells } from "./_robot_csv.ts";
import { spread } from "./_spread.ts";
import type { Take } from "./_take.ts";
import type { Fault } from "./fault.ts";
import type { Injected } from "./injected.ts";

const LINE_FEED = 10;

/**
 * Damages the files of a recording.
 *
 * @returns what was done to them
 * @throws {RangeError} when there are fewer pictures than are to be cut
 */
export function damageFiles(
  folder: string,
  take: Take,
  files: WrittenFiles,
  faults: readonly Fault[],
): Injected {
  const injected: Injected = {};
  blankCells(join(folder, files.robotLog), take);
  for (const { name, value: share = 0, count = 0 } of faults) {
    if (name === "truncated-csv") injected[name] = cutLog(folder, files.robotLog, share);
    if (name === "truncated-sensor") {
      if (files.sensor === null) {
        throw new RangeError(
          "Cannot inject the fault truncated-sensor: the recording has no sensor file, current " +
            "value is none. Leave the fault out, or record the sensor.",
        );
      }
      injected[name] = { count: 1, ...cut(folder, files.sensor, share) };
    }
    if (name === "truncated-image") {
      const random = faultStream(take.source.seed, name);
      const chosen = spread(random, count, {
        from: 0,
        to: files.images.length,
        length: 1,
        apart: 0,
        what: "truncated images",
      }).map((place) => files.images[Math.floor(place)]!);
      const places = chosen.map(({ view, time, path }) => {
        cut(folder, path, share);
        return { view, time, file: path };
      });
      injected[name] = { count, places };
    }
  }
  return injected;
}

function cut(folder: string, file: string, share: number) {
  const path = join(folder, file);
  const bytesBefore = Deno.statSync(path).size;
  const bytes = Math.floor(share * bytesBefore);
  Deno.truncateSync(path, bytes);
  return { bytes, bytesBefore, places: [{ file }] };
}

/** Cuts a log so that its last row is torn. */
function cutLog(folder: string, file: string, share: number) {
  const path = join(folder, file);
  const text = Deno.readFileSync(path);
  let bytes = Math.floor(share * text.length);
  while (bytes > 0 && (text[bytes - 1] === LINE_FEED || text[bytes] === LINE_FEED)) bytes--;
  Deno.truncateSync(path, bytes);
  const lines = text.subarray(0, bytes).reduce((sum, byte) => sum + Number(byte === LINE_FEED), 0);
  return {
    count: 1,
    bytes,
    bytesBefore: text.length,
    rows: Math.max(0, lines - 1),
    places: [{ file }],
  };
}
