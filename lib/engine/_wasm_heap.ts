/**
 * The heap of tfjs's `wasm` backend: typed access for kernels written here.
 *
 * @module
 */
import type { backend_util, DataType, KernelBackend, TensorInfo } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";

/** Where a tensor lives on the heap. */
interface HeapEntry {
  id: number;
  memoryOffset: number; // bytes
  shape: number[];
  dtype: DataType;
}

/** The part of tfjs's `BackendWasm` used here; its own types need Emscripten's globals. */
export interface WasmBackend extends KernelBackend {
  wasm: {
    HEAPU8: Uint8Array;
    _malloc(bytes: number): number;
    _free(offset: number): void;
    cwrap(name: string, returns: null, parameters: string[]): (...args: unknown[]) => void;
    tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      disposeData(id: number): void;
    };
  };
  dataIdMap: { get(dataId: object): HeapEntry };
  makeOutput(
    shape: number[],
    dtype: DataType,
    memoryOffset?: number,
    values?: backend_util.BackendValues,
  ): TensorInfo;
}

/** Byte offset of a tensor on the heap; it stays valid while the heap grows. */
export function offsetOf(info: TensorInfo, backend: WasmBackend): number {
  return backend.dataIdMap.get(info.dataId).memoryOffset;
}

/** A view of a float32 tensor; only valid until the next allocation, which may move the heap. */
export function floats(info: TensorInfo, backend: WasmBackend): Float32Array {
  const size = tf.util.sizeFromShape(info.shape);
  return new Float32Array(backend.wasm.HEAPU8.buffer, offsetOf(info, backend), size);
}

/** A view of an int32 tensor; only valid until the next allocation. */
export function integers(info: TensorInfo, backend: WasmBackend): Int32Array {
  const size = tf.util.sizeFromShape(info.shape);
  return new Int32Array(backend.wasm.HEAPU8.buffer, offsetOf(info, backend), size);
}

/** Sets a float32 tensor to zero; fresh tensors hold what was on the heap before. */
export function zero(info: TensorInfo, backend: WasmBackend): TensorInfo {
  floats(info, backend).fill(0);
  return info;
}

/**
 * Makes an allocation that does not fit throw. tfjs ignores that `malloc` returned 0 and would
 * write over the start of the heap.
 */
export function refuseFullHeap(backend: WasmBackend): void {
  backend.wasm._free(backend.wasm._malloc(8)); // Emscripten replaces both at their first call
  const allocate = backend.wasm._malloc;
  backend.wasm._malloc = (bytes) => {
    const offset = bytes < 2 ** 32 ? allocate(bytes) : 0; // malloc would take it modulo 2^32
    if (offset === 0 && bytes > 0) {
      const used = backend.wasm.HEAPU8.length;
      throw new RangeError(
        `Cannot allocate ${bytes} bytes for a tensor: the WebAssembly heap must have room, ` +
          `current value is ${used} bytes in all. Use a smaller batch, dispose of tensors, or ` +
          "use another engine",
      );
    }
    return offset;
  };
}

/** Lets tensors of dtype complex64, stored as interleaved float32 pairs, be read. */
export function readComplexTensors(backend: WasmBackend): void {
  const readSync = backend.readSync.bind(backend);
  backend.readSync = (dataId: object, ...range: number[]) => {
    const { dtype, memoryOffset, shape } = backend.dataIdMap.get(dataId);
    if (dtype !== "complex64") {
      return (readSync as (id: object, ...range: number[]) => backend_util.BackendValues)(
        dataId,
        ...range,
      );
    }
    const size = 2 * tf.util.sizeFromShape(shape);
    return new Float32Array(backend.wasm.HEAPU8.buffer, memoryOffset, size).slice();
  };
}
