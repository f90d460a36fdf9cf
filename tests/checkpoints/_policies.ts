import type { TensorArray, TensorInput } from "../../lib/formats/mod.ts";
import type { PolicyConfig } from "../../lib/policies/mod.ts";
import { policyShapes, preset } from "../../lib/policies/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

/** Policies of a few thousand numbers. */
export function smallPolicy(
  choice: Partial<Pick<PolicyConfig, "architecture" | "family" | "fusion">> = {},
): PolicyConfig {
  const config = preset("compact", { architecture: "reference", ...choice } as {
    architecture: "reference";
  }) as PolicyConfig;
  const { sensorEncoder } = config;
  const expert = {
    ...{ visionDim: 2048, horizon: 8, hiddenDim: 16, heads: 8, layers: 2 },
    ...(config.architecture === "trocar" ? { visionHidden: 16 } : {}),
  };
  return {
    ...config,
    sensorEncoder: sensorEncoder && {
      ...sensorEncoder,
      ...{ inputChannels: 5, hiddenDim: 16, outputDim: 12, convLayers: 2, transformerLayers: 1 },
    },
    actionExpert: { ...config.actionExpert, ...expert, sensorDim: sensorEncoder ? 12 : 0 },
  } as PolicyConfig;
}

/** Every tensor of a policy, each number different from all others near it. */
export function tensorsOf(config: PolicyConfig, seed = 1): Record<string, TensorArray> {
  let state = seed;
  const next = () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32 - 0.5;
  return Object.fromEntries(
    policyShapes(config).map(({ key, shape, dtype }) => {
      const count = shape.reduce((product, size) => product * size, 1);
      return [
        key,
        dtype === "int64" ? { dtype, shape, data: new BigInt64Array(count).fill(17n) } : {
          dtype: "float32",
          shape,
          data: Float32Array.from({ length: count }, valueOf(key, next)),
        },
      ];
    }),
  );
}

/** Variances are not below zero. */
function valueOf(key: string, next: () => number): () => number {
  return key.endsWith(".running_var") ? () => next() + 1 : next;
}

/** The tensors of a part, without its name: what a module's `state_dict()` gives. */
export function partOf(tensors: Readonly<Record<string, TensorInput>>, part: string) {
  return Object.fromEntries(
    Object.entries(tensors).filter(([key]) => key.startsWith(`${part}.`))
      .map(([key, tensor]) => [key.slice(part.length + 1), tensor]),
  );
}

/** The same tensors under other keys. */
export function renamed(
  tensors: Readonly<Record<string, TensorInput>>,
  rename: (key: string) => string,
): Record<string, TensorInput> {
  return Object.fromEntries(Object.entries(tensors).map(([key, tensor]) => [rename(key), tensor]));
}

/** Calls with a new folder. */
export async function withFolder(run: (folder: string) => Promise<void> | void): Promise<void> {
  await run(temporaryFolder());
}
