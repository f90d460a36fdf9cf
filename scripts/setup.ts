/**
 * `deno task setup`: finds or fetches TensorFlow's libraries and proves that they load.
 *
 * @module
 */
import { formatProgress, runCommand, switchFlag } from "../lib/cli/mod.ts";
import { InstallError, setUpTensorFlow } from "../lib/engine/install/mod.ts";

if (import.meta.main) {
  await runCommand({
    name: "setup",
    summary: "Finds TensorFlow's libraries, or fetches them into trocar's cache folder.",
    details: `Looks in TROCAR_TENSORFLOW (a folder), in the cache folder (TROCAR_CACHE, by default
~/.cache/trocar, on macOS ~/Library/Caches/trocar), for an installed Python package
tensorflow or tensorflow-cpu, and among the system's libraries. Otherwise python3 and pip
download a pinned wheel of 0.2 to 0.6 GB, whose SHA-256 is checked; 0.7 to 1.3 GB stay.`,
    flags: {
      cuda: switchFlag(
        "the CUDA build with NVIDIA's libraries: 3.4 GB to download, 5.3 GB on disk",
      ),
      check: switchFlag("report only: change nothing, and end with exit code 1 if there is none"),
      force: switchFlag("install again, even if TensorFlow is there"),
    },
    run: async (flags, { note, print, progress, warn, signal }) => {
      const result = await setUpTensorFlow({
        ...flags,
        signal,
        onRejected: ({ source, folder, reason }) =>
          note(`Passed over ${folder} (${source}): ${reason}.`),
        onProgress: ({ stage, item, done, total, rate }) => {
          if (stage === "wait") note(`Waiting: ${item}.`);
          else progress.update(formatProgress(`${stage} ${item}`, { done, total, rate }));
          if (stage !== "wait" && done === total) progress.done();
        },
      }).catch((error: unknown) => {
        const isStuck = error instanceof InstallError && error.code !== "unsupported-platform";
        if (isStuck && !signal.aborted) {
          warn("TensorFlow is not ready. Until it is, --engine webgpu and --engine wasm serve.");
        }
        throw error;
      });
      if (result === undefined) {
        warn("TensorFlow is not installed. Run: deno task setup");
        const document = { engine: "none", version: "", path: "", source: "", devices: [] };
        return { document, exitCode: 1 };
      }
      const { location, proof: { version, devices }, installed } = result;
      const names = devices.map(({ name, type }) => `${name} (${type})`).join(", ");
      print(
        `TensorFlow ${version} ${installed ? "is installed" : "is ready"}: ${location.folder} ` +
          `(${location.source})\nDevices: ${names}`,
      );
      const { folder: path, source } = location;
      return { document: { engine: "tensorflow", version, path, source, devices } };
    },
  });
}
