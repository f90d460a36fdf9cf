import { engineTensor } from "../checkpoints/_engine_tensor.ts";
import type { OpenCheckpoint } from "../checkpoints/mod.ts";
import type { tf } from "../engine/mod.ts";
import { type PolicyConfig, policyShapes } from "../policies/mod.ts";

const PREFIX = "ema.";

/**
 * Puts a checkpoint's running averages in the place of the parameters that they are of: validation
 * judged them.
 *
 * @param checkpoint open
 * @param config of its policy
 * @param parameters in the engine's layout; those that are replaced are disposed of
 * @returns how many were replaced
 * @throws {SyntaxError} when the file is damaged
 */
export async function useAverages(
  checkpoint: OpenCheckpoint,
  config: PolicyConfig,
  parameters: Record<string, tf.Tensor>,
): Promise<number> {
  const { path } = checkpoint, training = checkpoint.training();
  const specs = policyShapes(config).filter(({ key, trainable }) =>
    trainable && training?.has(`${PREFIX}${key}`)
  );
  if (specs.length === 0) return 0;
  await checkpoint.verify();
  for (const spec of specs) {
    const stored = training!.get(`${PREFIX}${spec.key}`)!;
    if (
      !/^(float16|bfloat16|float32)$/.test(stored.dtype) ||
      String(stored.shape) !== String(spec.shape)
    ) {
      throw new SyntaxError(
        `Cannot load the averages of ${path}: that of ${spec.key} should be float32 ` +
          `(${spec.shape.join(", ")}), current value is ${stored.dtype} (${
            stored.shape.join(", ")
          }). The file was put together from two models; save it again.`,
      );
    }
    const average = engineTensor(path, spec, stored);
    parameters[spec.key]!.dispose();
    parameters[spec.key] = average;
  }
  return specs.length;
}
