/** Elementwise updates of variables as one XLA program each, inside a function that XLA does not compile. */
import * as tf from "@tensorflow/tfjs";
import { trace } from "./_trace.ts";
import { activeTracer, nativeBackend } from "./tensorflow/_active.ts";
import { ATTR } from "./tensorflow/_attributes.ts";
import { dtypeOf } from "./tensorflow/_kernels.ts";
import { NativeVariable, type Variable } from "./tensorflow/_variable.ts";

const MUST_COMPILE = [{ name: "_XlaMustCompile", type: ATTR.bool, value: true }];

/**
 * Runs an update of variables. In a compiled function on the native engine it becomes a call of an XLA
 * program, which reads and writes every array once or twice instead of once per op, in place; the
 * program is shared by all updates of one key and shapes. Elsewhere it runs op by op.
 *
 * @param key What the update computes, including every constant in it.
 * @param variables Variables that it reads and assigns.
 * @param tensors Tensors that it reads. It must not use any tensor from outside.
 * @param body The update.
 */
export function fuse(
  key: string,
  variables: readonly Variable[],
  tensors: readonly tf.Tensor[],
  body: (variables: readonly Variable[], tensors: readonly tf.Tensor[]) => void,
): void {
  const native = nativeBackend();
  const tracer = activeTracer();
  if (native === undefined || tracer === undefined || tracer.options.xla) {
    tf.tidy(() => body(variables, tensors));
    return;
  }
  const like = (x: { dtype: tf.DataType; shape: number[] }) => ({
    shape: x.shape,
    dtype: dtypeOf(x),
  });
  const form = [...variables, ...tensors].map((x) => `${x.dtype}[${x.shape}]`).join(" ");
  const signature = `${key} ${form}`;
  let traced = tracer.shared.get(signature);
  if (traced === undefined) {
    traced = trace(native, {
      name: key,
      inputs: tensors.map(like),
      variables: variables.map(like),
      options: { xla: true, autocast: false },
      body: (inputs, resources) => {
        body(
          resources.map((resource, i) => new NativeVariable(native, resource, variables[i]!)),
          inputs,
        );
        return [];
      },
    });
    if (traced.captures.length > 0) {
      throw new Error(
        `Cannot fuse "${key}": it uses ${traced.captures.length} tensors that it was not given`,
      );
    }
    tracer.shared.set(signature, traced);
  }
  const ids = [
    ...native.ids(tensors),
    ...variables.map((variable) => (variable as NativeVariable).resource),
  ];
  tracer.call(traced, ids, MUST_COMPILE);
}
