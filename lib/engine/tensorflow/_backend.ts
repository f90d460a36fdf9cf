/** tfjs's node backend on trocar's binding, with the few things it gets wrong for tracing put right. */
import util from "node:util";
import type { DataId, Tensor, TensorInfo } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import type { TensorFlowBinding } from "./_binding.ts";
import type { TracedFunction } from "./_traced.ts";
import { describe } from "./_dtypes.ts";
import { registerKernels } from "./_kernels.ts";
import { check, cStringOnce } from "./_library.ts";
import type { TensorMetadata, TensorValues } from "./_tensors.ts";

// Removed from Node's util; tfjs-node's TopK kernel and backend still call it.
const legacy = util as unknown as { isNullOrUndefined?: (value: unknown) => boolean };
legacy.isNullOrUndefined ??= (value) => value === null || value === undefined;

/** What tfjs keeps of each tensor. */
interface TensorData {
  shape: number[];
  dtype: number;
  values: TensorValues | null;
  id: number;
  refCount: number;
}

/** The parts of tfjs-node's backend class that trocar calls, which its own types mark as private. */
interface NodeBackend {
  readonly binding: TensorFlowBinding;
  readonly tensorMap: tf.DataStorage<TensorData>;
  createOutputTensor(metadata: TensorMetadata): Tensor;
  getInputTensorIds(tensors: readonly TensorInfo[]): number[];
}

/** The native backend: raw access for compiled functions, variables and random numbers. */
export class TensorFlowBackend {
  /** The binding. */
  readonly binding: TensorFlowBinding;
  readonly #backend: NodeBackend;
  /** Name of each live variable, shape and `TF_DataType` of its value, by the id of its resource. */
  readonly variables: Map<number, { name: string; shape: number[]; dtype: number }> = new Map();
  /** Tensors written while tracing: constants of the function. */
  #writtenWhileTracing: WeakSet<DataId> | undefined;
  #refuse: ((problem: string) => never) | undefined;

  private constructor(backend: NodeBackend) {
    this.#backend = backend;
    this.binding = backend.binding;
  }

  /** Registers tfjs's backend `tensorflow` on a binding. */
  static async register(binding: TensorFlowBinding): Promise<TensorFlowBackend> {
    const { NodeJSKernelBackend } = await import(
      "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js"
    );
    const constructed = new NodeJSKernelBackend(
      binding as never,
      binding.isUsingGpuDevice() ? "@tensorflow/tfjs-node-gpu" : "@tensorflow/tfjs-node",
    );
    const native = new TensorFlowBackend(constructed as unknown as NodeBackend);
    native.#watch(constructed);
    tf.registerBackend("tensorflow", () => constructed, 3);
    await tf.setBackend("tensorflow");
    await import("@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js");
    registerKernels(native);
    return native;
  }

  /**
   * From now on tells constants of the function from tensors outside of it; {@link endTrace} ends it.
   *
   * @param refuse Throws an error about what a traced function must not do.
   */
  beginTrace(refuse: (problem: string) => never): void {
    this.#writtenWhileTracing = new WeakSet();
    this.#refuse = refuse;
  }

  /** Ends what {@link beginTrace} began. */
  endTrace(): void {
    this.#writtenWhileTracing = undefined;
    this.#refuse = undefined;
  }

  /** Registers a traced function, so that an op of its name calls it. */
  addFunction(traced: TracedFunction): void {
    const { library, context } = this.binding;
    library.api.TFE_ContextAddFunction(context, traced.handle, library.status);
    check(library, `Cannot register function "${traced.name}"`);
  }

  /** Removes a traced function and those that it calls. */
  removeFunction(traced: TracedFunction): void {
    const { library, context } = this.binding;
    traced.callees.forEach((callee) => this.removeFunction(callee));
    library.api.TFE_ContextRemoveFunction(context, cStringOnce(traced.name), library.status);
    library.api.TF_DeleteFunction(traced.handle);
    check(library, `Cannot remove function "${traced.name}"`);
  }

  /** The handle ids of tensors, uploading those whose values still wait in JavaScript. */
  ids(tensors: readonly TensorInfo[]): number[] {
    return this.#backend.getInputTensorIds(tensors);
  }

  /** Wraps an op's output as a tensor that owns it. */
  tensor(metadata: TensorMetadata): Tensor {
    return this.#backend.createOutputTensor(metadata);
  }

  /**
   * While tracing: a tensor made before is an input of the function, not a constant in it, even when
   * its values have not been uploaded yet; and its values cannot be read on the host.
   */
  #watch(constructed: tf.KernelBackend): void {
    const backend = constructed as unknown as NodeBackend & {
      move(...args: [DataId, TensorValues, number[], tf.DataType, number]): void;
      readSync(dataId: DataId): unknown;
    };
    const { move, getInputTensorIds, readSync } = backend;
    backend.move = (dataId, ...rest) => {
      this.#writtenWhileTracing?.add(dataId);
      move.call(backend, dataId, ...rest);
    };
    backend.readSync = (dataId) => {
      const written = this.#writtenWhileTracing;
      if (written !== undefined && !written.has(dataId)) {
        const { dtype, shape } = backend.tensorMap.get(dataId);
        this.#refuse!(
          `a value cannot be read on the host while tracing, current value is ${
            describe(dtype, shape)
          }; return it from the function and read it there`,
        );
      }
      return readSync.call(backend, dataId);
    };
    backend.getInputTensorIds = (tensors) => {
      const written = this.#writtenWhileTracing;
      if (written !== undefined) {
        for (const tensor of tensors) {
          if (tensor instanceof tf.Variable) {
            this.#refuse!(
              `a tf.Variable would keep its present value for ever, current value is "${tensor.name}"; use variable()`,
            );
          }
          if (tensor.dataId === undefined || written.has(tensor.dataId)) continue;
          const data = backend.tensorMap.get(tensor.dataId);
          if (data.values === null) continue;
          data.id = this.binding.tensors.create(data.shape, data.dtype, data.values);
          data.values = null;
        }
      }
      return getInputTensorIds.call(backend, tensors);
    };
  }
}
