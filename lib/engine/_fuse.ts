/** Elementwise updates of variables as one XLA program each, inside a function that XLA does not compile. */
import * as tf from "@tensorflow/tfjs";
import { factorsOf, productOf } from "./_products.ts";
import { trace } from "./_trace.ts";
import { activeTracer, nativeBackend } from "./tensorflow/_active.ts";
import type { TensorFlowBackend } from "./tensorflow/_backend.ts";
import { ATTR } from "./tensorflow/_attributes.ts";
import type { GraphTracer } from "./tensorflow/_graph.ts";
import { dtypeOf } from "./tensorflow/_kernels.ts";
import type { TracedFunction } from "./tensorflow/_traced.ts";
import { NativeVariable, type Variable } from "./tensorflow/_variable.ts";

const MUST_COMPILE = [{ name: "_XlaMustCompile", type: ATTR.bool, value: true }];

/** An update of variables. */
export interface Update {
  /** What it computes, including every constant in it. */
  readonly key: string;
  /** Variables that it reads and assigns, all of the gradient's shape. */
  readonly variables: readonly Variable[];
  /** The gradient. */
  readonly gradient: tf.Tensor;
  /** Scalars that it reads, the first of which is known last. */
  readonly scalars: readonly tf.Tensor[];
  /**
   * Assigns the variables, without tensors from outside.
   *
   * XLA makes one loop of all assignments, which reads and writes each array once, only if they share
   * no intermediate result. In its program (`isFused`) each call of `scalars` therefore gives other
   * copies, up to one for each variable: what is computed from other copies is no common subexpression.
   */
  readonly body: (
    variables: readonly Variable[],
    gradient: tf.Tensor,
    scalars: () => readonly tf.Tensor[],
    isFused: boolean,
  ) => void;
}

/**
 * Runs an update of variables. In a compiled function on the native engine it becomes a call of an XLA
 * program, which reads and writes every array once, in place; the program is shared by all updates of
 * one key and shapes. A gradient that is a product of few rows is made just before, into memory that the
 * update before has freed, and so stays in the cache. Elsewhere the update runs op by op.
 */
export function fuse(update: Update): void {
  const native = nativeBackend();
  const tracer = activeTracer();
  if (native === undefined || tracer === undefined || tracer.options.xla) {
    const { variables, gradient, scalars, body } = update;
    tf.tidy(() => body(variables, gradient, () => scalars, false));
    return;
  }
  const factors = factorsOf(update.gradient);
  if (factors === undefined) return callProgram(native, tracer, update);
  tracer.section(native.ids([update.scalars[0]!]), () => {
    const gradient = productOf(factors);
    callProgram(native, tracer, { ...update, gradient });
  });
}

function callProgram(native: TensorFlowBackend, tracer: GraphTracer, update: Update): void {
  const { key, variables, gradient, scalars } = update;
  const form = [...variables, gradient, ...scalars].map((x) => `${x.dtype}[${x.shape}]`).join(" ");
  const signature = `${key} ${form}`;
  let program = tracer.shared.get(signature);
  if (program === undefined) {
    program = traceProgram(native, update);
    tracer.shared.set(signature, program);
  }
  const copies = variables.flatMap(() => scalars);
  const resources = variables.map((variable) => (variable as NativeVariable).resource);
  tracer.call(program, [...native.ids([gradient, ...copies]), ...resources], MUST_COMPILE);
}

function traceProgram(native: TensorFlowBackend, update: Update): TracedFunction {
  const { key, variables, gradient, scalars, body } = update;
  const like = (x: { dtype: tf.DataType; shape: number[] }) => ({
    shape: x.shape,
    dtype: dtypeOf(x),
  });
  const traced = trace(native, {
    name: key,
    inputs: [gradient, ...variables.flatMap(() => scalars)].map(like),
    variables: variables.map(like),
    options: { xla: true, autocast: false },
    body: ([gradient, ...copies], resources) => {
      body(
        resources.map((resource, i) => new NativeVariable(native, resource, variables[i]!)),
        gradient!,
        () => copies.splice(0, scalars.length),
        true,
      );
      return [];
    },
  });
  if (traced.captures.length > 0) {
    throw new Error(
      `Cannot fuse "${key}": it uses ${traced.captures.length} tensors that it was not given`,
    );
  }
  return traced;
}
