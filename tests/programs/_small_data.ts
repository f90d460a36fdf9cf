/** Small recordings of one task, preprocessed and with features: what programs train on in seconds. */
import { join } from "node:path";
import { hasNative } from "../engine/_native.ts";
import { buildAll, prepare } from "../training/_small_run.ts";
import { temporaryFolder } from "../_temporary.ts";

/** Engine that tests run on. */
export const ENGINE = ["--engine", hasNative ? "tensorflow" : "wasm"];

/** Prepares the data in a new folder. */
export async function smallData() {
  const folder = Deno.realPathSync(temporaryFolder());
  await prepare(folder);
  // Makes the three recordings of different tasks one task, so that they can be divided.
  for (const { name } of Deno.readDirSync(join(folder, "episodes"))) {
    const path = join(folder, "episodes", name, "episode.json");
    const manifest = JSON.parse(Deno.readTextFileSync(path));
    Deno.writeTextFileSync(path, JSON.stringify({ ...manifest, task: "Blue_point" }));
  }
  await buildAll(folder);
  const flags = [
    ...["--data", join(folder, "episodes"), "--cache", join(folder, "cache")],
    ...["--val-split", "0.3", ...ENGINE],
  ];
  return { folder, flags };
}
