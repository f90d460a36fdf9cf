import { tf } from "../engine/mod.ts";
import { widenBfloat16 } from "../formats/bfloat16.ts";
import type { StoredTensor } from "../formats/tensor_types.ts";
import { exchangeLayout } from "../policies/checkpoint_layout.ts";
import type { TensorSpec } from "../policies/layers/tensor_spec.ts";

/**
 * Reads a tensor of a policy into the engine's layout; the caller's.
 *
 * @param path of the checkpoint, for messages
 * @param spec which one it is; its shape must be that of `stored`
 * @param stored the tensor
 */
export function engineTensor(path: string, spec: TensorSpec, stored: StoredTensor): tf.Tensor {
  return tf.tidy(() => {
    const tensor = toTensor(path, spec.key, stored);
    return spec.reversed ? exchangeLayout(spec, tensor) : tensor;
  });
}

/** float16 and bfloat16 are widened, int64 becomes int32. */
function toTensor(path: string, key: string, tensor: StoredTensor): tf.Tensor {
  const { dtype, shape, data } = tensor.read();
  const sizes = [...shape];
  switch (dtype) {
    case "float32":
      return tf.tensor(data, sizes, "float32");
    case "float16":
      return tf.tensor(Float32Array.from(data), sizes, "float32");
    case "bfloat16":
      return tf.tensor(widenBfloat16(data), sizes, "float32");
    case "int64":
      return tf.tensor(toInt32(path, key, data), sizes, "int32");
    default:
      throw new TypeError(`Cannot load ${key} of ${path}: current value is ${dtype}.`);
  }
}

function toInt32(path: string, key: string, values: BigInt64Array): Int32Array {
  const wrong = values.find((value) => value !== BigInt.asIntN(32, value));
  if (wrong === undefined) return Int32Array.from(values, Number);
  throw new SyntaxError(
    `Cannot load ${path}: ${key} should be within 32 bits, current value is ${wrong}. The file is ` +
      "damaged; copy it again.",
  );
}
