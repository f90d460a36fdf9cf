/**
 * Kernels borrowed from tfjs's `cpu` backend for the `wasm` backend, which lacks some of them.
 * A borrowed kernel reads its inputs from the WebAssembly heap, runs in JavaScript and writes its
 * outputs back: correct, never fast.
 *
 * @module
 */
import type {
  DataType,
  KernelBackend,
  KernelConfig,
  KernelFunc,
  NamedAttrMap,
  NamedTensorInfoMap,
  TensorInfo,
} from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import type { WasmBackend } from "./_wasm_heap.ts";

/** The part of tfjs's `cpu` backend used here. */
interface CpuBackend extends KernelBackend {
  firstUse: boolean;
  makeTensorInfo(shape: number[], dtype: DataType, values?: unknown): TensorInfo;
}

/** A kernel with its backend bound. */
export type Kernel = (inputs: NamedTensorInfoMap, attrs: NamedAttrMap) => TensorInfo | TensorInfo[];

/**
 * tfjs's `cpu` backend, without its greeting that suggests another package.
 *
 * @throws {Error} when `@tensorflow/tfjs` did not register it.
 */
export function cpuBackend(): CpuBackend {
  const cpu = tf.findBackend("cpu") as CpuBackend | null;
  if (cpu === null) {
    throw new Error(
      "Cannot borrow cpu kernels: backend must be registered, current value is null. " +
        'Import "@tensorflow/tfjs" before',
    );
  }
  cpu.firstUse = false;
  return cpu;
}

/**
 * Registers on `wasm` every kernel that `cpu` has and `wasm` lacks.
 *
 * @param backend the started `wasm` backend.
 * @returns the names of the borrowed kernels.
 */
export function borrowMissingKernels(backend: WasmBackend): string[] {
  const present = new Set(tf.getKernelsForBackend("wasm").map((kernel) => kernel.kernelName));
  const missing = tf.getKernelsForBackend("cpu").filter((kernel) =>
    !present.has(kernel.kernelName)
  );
  for (const { kernelName } of missing) replaceKernel(kernelName, cpuKernel(kernelName, backend));
  return missing.map((kernel) => kernel.kernelName);
}

/** A kernel of the `cpu` backend that takes and gives tensors of the `wasm` backend. */
export function cpuKernel(kernelName: string, backend: WasmBackend): Kernel {
  const kernel = requireKernel(kernelName, "cpu");
  return (inputs, attrs) => {
    const cpu = cpuBackend();
    const lent: TensorInfo[] = [];
    const lend = (info: TensorInfo): TensorInfo => {
      const copy = toCpu(info, backend, cpu);
      lent.push(copy);
      return copy;
    };
    try {
      const copies = lendAll(inputs, lend);
      const outputs = kernel({ inputs: copies, attrs, backend: cpu });
      const list = Array.isArray(outputs) ? outputs : [outputs];
      lent.push(...list);
      const results = list.map((info) => fromCpu(info, backend, cpu));
      return Array.isArray(outputs) ? results : results[0]!;
    } finally {
      for (const info of lent) cpu.disposeData(info.dataId);
    }
  };
}

/** Inputs by name, some of them lists; `Einsum` and `Concat` take a plain list. */
function lendAll(inputs: NamedTensorInfoMap, lend: (info: TensorInfo) => TensorInfo) {
  const one = (value: TensorInfo | TensorInfo[] | undefined) =>
    Array.isArray(value) ? value.map(lend) : value && lend(value);
  if (Array.isArray(inputs)) return inputs.map(lend) as unknown as NamedTensorInfoMap;
  const entries = Object.entries(inputs).map(([name, value]) => [name, one(value)]);
  return Object.fromEntries(entries) as NamedTensorInfoMap;
}

/** Registers `run` as the `wasm` kernel of this name, in place of any other. */
export function replaceKernel(kernelName: string, run: Kernel): void {
  if (tf.getKernel(kernelName, "wasm") !== undefined) tf.unregisterKernel(kernelName, "wasm");
  const config: KernelConfig = {
    kernelName,
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs }) => run(inputs, attrs ?? {}),
  };
  tf.registerKernel(config);
}

/** The function of a registered kernel. */
export function requireKernel(kernelName: string, backendName: string): KernelFunc {
  const config = tf.getKernel(kernelName, backendName);
  if (config !== undefined) return config.kernelFunc;
  throw new Error(
    `Cannot prepare the ${backendName} engine: kernel "${kernelName}" must be registered, ` +
      "current value is undefined. Check that all @tensorflow packages have one version",
  );
}

function toCpu(info: TensorInfo, backend: WasmBackend, cpu: CpuBackend): TensorInfo {
  if (info.dtype !== "complex64") {
    return cpu.makeTensorInfo(info.shape, info.dtype, backend.readSync(info.dataId));
  }
  const pairs = backend.readSync(info.dataId) as Float32Array;
  const { real, imag } = tf.backend_util.splitRealAndImagArrays(pairs);
  const parts = {
    real: cpu.makeTensorInfo(info.shape, "float32", real),
    imag: cpu.makeTensorInfo(info.shape, "float32", imag),
  };
  const whole = requireKernel("Complex", "cpu")({ inputs: parts, backend: cpu, attrs: {} });
  for (const part of Object.values(parts)) cpu.disposeData(part.dataId);
  return whole as TensorInfo;
}

function fromCpu(info: TensorInfo, backend: WasmBackend, cpu: CpuBackend): TensorInfo {
  const values = cpu.readSync(info.dataId); // complex64: interleaved pairs
  const exact = info.dtype === "string" || info.dtype === "complex64"
    ? values
    : tf.util.toTypedArray(values as tf.TypedArray, info.dtype);
  return backend.makeOutput(info.shape, info.dtype, undefined, exact);
}

/** Kernels of wasm that lose NaN, which would hide a loss that is not finite. */
const LOSE_NAN = ["ArgMax", "ArgMin", "Maximum", "Minimum", "Relu6", "Sign"];

/** Reductions that return whatever memory held when there is nothing to reduce. */
const NEED_VALUES = ["All", "Any", "Max", "Mean", "Min", "Prod", "Sum"];

/** Takes the cpu backend's kernels where wasm's are wrong: always, or only for empty inputs. */
export function borrowForWrongKernels(backend: WasmBackend): void {
  for (const name of LOSE_NAN) replaceKernel(name, cpuKernel(name, backend));
  for (const name of NEED_VALUES) {
    const [own, borrowed] = [requireKernel(name, "wasm"), cpuKernel(name, backend)];
    replaceKernel(name, (inputs, attrs) => {
      const isEmpty = inputs.x!.shape.includes(0);
      return isEmpty ? borrowed(inputs, attrs) : own({ inputs, attrs, backend });
    });
  }
}
