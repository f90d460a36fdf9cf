import { join, resolve } from "node:path";
import { cacheFolder } from "../engine/install/cache_folder.ts";
import { discoverRecordings } from "../episodes/discover.ts";
import { parseFaults } from "../phantom/recordings/fault.ts";
import { recordPhantom } from "../phantom/recordings/record_phantom.ts";
import { lockFolder } from "./_folder_lock.ts";

/** Goes up when the recording changes. */
const VERSION = 1;

/** Options of {@linkcode demonstrationRecording}. */
export interface DemonstrationRecordingOptions {
  /** Where it is kept; default `demonstration` in trocar's cache folder. */
  readonly folder?: string;
  /** Stops the waiting for another process. */
  readonly signal?: AbortSignal;
}

/**
 * One simulated recording to look at, with faults whose truth is known: three gaps of 0.3 s in the
 * robot's log, two rows written twice, one turn of an angle over ±180°, and a sensor's clock that is
 * 40 ms ahead. It is made when it is first needed, in two seconds, and kept.
 *
 * @param options where
 * @returns the recording's folder
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { demonstrationRecording } from "./mod.ts";
 *
 * const path = await demonstrationRecording({ folder: Deno.makeTempDirSync() });
 * assert(Deno.statSync(`${path}/View1`).isDirectory);
 * ```
 */
export async function demonstrationRecording(
  options: DemonstrationRecordingOptions = {},
): Promise<string> {
  const root = resolve(options.folder ?? join(cacheFolder(), "demonstration"));
  const folder = join(root, `recording-${VERSION}`);
  Deno.mkdirSync(folder, { recursive: true });
  using _lock = await lockFolder(folder, () => {}, options.signal);
  const [found] = discoverRecordings([folder]).recordings;
  if (found !== undefined) return found.path;
  const made = recordPhantom({
    output: folder,
    layouts: ["new-dataset2"],
    faults: parseFaults("golden"),
    raster: 5,
  });
  for await (const { path } of made) return path;
  throw new Error("unreachable: one recording was asked for");
}
