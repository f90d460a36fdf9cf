/** What is bundled: tfjs-core's specs and the engine, on one copy of tfjs. */
import { setTestEnvs } from "@tensorflow/tfjs-core/dist/jasmine_util.js";
import { startTensorFlow } from "../../lib/engine/tensorflow/start.ts";

/**
 * Starts the native engine, then declares tfjs-core's specs for it; jasmine's globals must be there.
 *
 * @param libraries Full paths of TensorFlow's libraries.
 * @returns TensorFlow's version.
 */
export async function declareSpecs(libraries: { framework: string; cc: string }): Promise<string> {
  const { binding } = await startTensorFlow(libraries);
  setTestEnvs([
    { name: "test-tensorflow", backendName: "tensorflow", flags: {}, isDataSync: true },
  ]);
  await import("@tensorflow/tfjs-core/dist/tests.js");
  return binding.TF_Version;
}
