/** Which engines this machine has, and tests that need one of them. */
import { findTensorFlow, startEngine } from "trocar/engine";

/** Whether TensorFlow's libraries are here. Tests never fetch them. */
export const hasNative = await findTensorFlow() !== undefined;

/**
 * A test on the native engine; ignored, and counted as such, when TensorFlow is not installed.
 *
 * @param name A sentence with the symbol first.
 * @param body Runs with the native engine started.
 */
export function nativeTest(name: string, body: () => void | Promise<void>): void {
  Deno.test({
    name: hasNative ? name : `${name} (ignored: TensorFlow is not installed, run: deno task setup)`,
    ignore: !hasNative,
    fn: async () => {
      await startEngine({ engine: "tensorflow", install: false, quiet: true });
      await body();
    },
  });
}
