/** The native backend in use, if any, and the functions being traced on it. */
import * as tf from "@tensorflow/tfjs";
import type { TensorFlowBackend } from "./_backend.ts";
import type { GraphTracer } from "./_graph.ts";

let backend: TensorFlowBackend | undefined;

/** Notes the native backend after it was started. */
export function setNativeBackend(started: TensorFlowBackend): void {
  backend = started;
}

/** The native backend, if it was started and tfjs uses it now. */
export function nativeBackend(): TensorFlowBackend | undefined {
  return backend !== undefined && tf.getBackend() === "tensorflow" ? backend : undefined;
}

/** The native backend, whether or not tfjs uses it now. */
export function startedBackend(): TensorFlowBackend | undefined {
  return backend;
}

/** The innermost function being traced. */
export function activeTracer(): GraphTracer | undefined {
  return backend?.binding.tracer as GraphTracer | undefined;
}
