/** Runs a function while TensorFlow's ops are recorded instead of executed. */
import * as tf from "@tensorflow/tfjs";
import { activeTracer } from "./tensorflow/_active.ts";
import type { TensorFlowBackend } from "./tensorflow/_backend.ts";
import { GraphTracer } from "./tensorflow/_graph.ts";
import type { Enclosing, GraphOptions, TracedFunction } from "./tensorflow/_traced.ts";
import { guardHost, refusal } from "./_guards.ts";

let count = 0;

/** A function to trace: from its inputs as graph tensors to its outputs. */
export interface TraceRequest {
  /** Its name, as errors and TensorFlow show it. */
  readonly name: string;
  /** Shapes and `TF_DataType`s of the inputs. */
  readonly inputs: readonly { readonly shape: readonly number[]; readonly dtype: number }[];
  /** Variables that are inputs too, after the tensors. Default: none. */
  readonly variables?: readonly { readonly shape: readonly number[]; readonly dtype: number }[];
  /** Called once, with the inputs and the resource ids of the variables. */
  readonly body: (inputs: tf.Tensor[], variables: number[]) => readonly tf.Tensor[];
  /** Called with the function while the tensors that it captured still exist. */
  readonly onFinish?: (traced: TracedFunction) => void;
  /** How its ops are traced. Default: as those of the function around it. */
  readonly options?: GraphOptions;
}

/**
 * Traces a function.
 *
 * @param native The native backend.
 * @param request What to trace.
 * @returns The function as registered with TensorFlow; the caller removes it.
 * @throws {Error} If the function reads a traced value, draws JavaScript random numbers, assigns a
 * `tf.Variable`, or makes a tensor whose shape depends on values.
 */
export function trace(native: TensorFlowBackend, request: TraceRequest): TracedFunction {
  const { binding } = native;
  const outer = activeTracer();
  const enclosing: Enclosing = outer ?? {
    metadata: (id) => binding.tensors.metadata(id),
    variable: (id) => native.variables.get(id),
  };
  const tracer = new GraphTracer(binding, enclosing, (problem) => {
    throw refusal(request.name, problem);
  }, request.options ?? outer?.options ?? { xla: false, autocast: false });
  const release = outer === undefined ? guardHost(native, request.name) : () => {};
  const inputs = request.inputs.map(({ shape, dtype }) => tracer.input(shape, dtype));
  const variables = (request.variables ?? []).map((v) => tracer.inputVariable(v.shape, v.dtype));
  binding.tracer = tracer;
  try {
    let outputs: number[] = [];
    tf.tidy(() => {
      const results = request.body(
        inputs.map((metadata) => native.tensor(metadata)),
        variables,
      );
      outputs = native.ids(results);
    });
    const traced = tracer.finish(`trocar_${request.name.replace(/\W+/g, "_")}_${count++}`, outputs);
    native.addFunction(traced);
    request.onFinish?.(traced);
    return traced;
  } finally {
    binding.tracer = outer;
    release();
    tracer.dispose();
  }
}
