import { openCheckpoint } from "../checkpoints/mod.ts";
import { tf } from "../engine/mod.ts";
import { exchangeLayout, type PolicyConfig, policyShapes } from "../policies/mod.ts";

const PREFIX = "ema.";

/**
 * Puts a checkpoint's running averages in the place of the parameters that they are of: validation
 * judged them.
 *
 * @param path of the checkpoint
 * @param config of its policy
 * @param parameters in the engine's layout; those that are replaced are disposed of
 * @returns how many were replaced
 * @throws {SyntaxError} when the file is damaged
 */
export async function useAverages(
  path: string,
  config: PolicyConfig,
  parameters: Record<string, tf.Tensor>,
): Promise<number> {
  using checkpoint = openCheckpoint(path);
  const training = checkpoint.training();
  const specs = policyShapes(config).filter(({ key }) => training?.has(`${PREFIX}${key}`));
  if (specs.length === 0) return 0;
  await checkpoint.verify();
  for (const spec of specs) {
    const { data, shape } = training!.get(`${PREFIX}${spec.key}`)!.read();
    const average = tf.tidy(() => {
      const tensor = tf.tensor(data as Float32Array, [...shape], "float32");
      return spec.reversed ? exchangeLayout(spec, tensor) : tensor;
    });
    parameters[spec.key]!.dispose();
    parameters[spec.key] = average;
  }
  return specs.length;
}
