/**
 * The engines that need npm packages only: WebAssembly, which always starts, and WebGPU, which
 * starts when the machine offers an adapter.
 *
 * @module
 */
import process from "node:process";
import type { DataType, KernelBackend } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { borrowForWrongKernels, borrowMissingKernels, cpuBackend } from "./_cpu_kernels.ts";
import { readComplexTensors, refuseFullHeap, type WasmBackend } from "./_wasm_heap.ts";
import { patchKernels } from "./_wasm_patches.ts";
import { patchWebGpu } from "./_webgpu_patches.ts";

/** What an engine says about itself once it has started. */
export interface StartedFallback {
  /** Version of the tfjs backend. */
  version: string;
  /** Devices it computes on, most important first. */
  devices: string[];
  /** CPU threads it computes with; 0 when the device is not a CPU. */
  threads: number;
  /** Whether a GPU computes; false for WebAssembly and for a GPU emulated on the CPU. */
  hardware: boolean;
}

/** Why an engine did not start. */
export interface Unavailable {
  /** The reason, a sentence without a full stop. */
  unavailable: string;
}

let wasm: Promise<StartedFallback> | undefined;
let webGpu: Promise<StartedFallback | Unavailable> | undefined;

/**
 * Starts tfjs's WebAssembly backend and makes it the current one: SIMD where the runtime has it,
 * the kernels it lacks borrowed from the `cpu` backend, and its kernels that are wrong or slow in
 * training replaced. A second call only makes it current again.
 *
 * One thread: tfjs switches its threaded build off outside browsers, and that build's worker
 * script cannot run in Deno, where `location` of a worker is read-only. Made to run, its pool
 * stayed at one thread.
 *
 * @returns version, devices and threads.
 * @throws {Error} when the WebAssembly module cannot be loaded.
 */
export async function startWasm(): Promise<StartedFallback> {
  wasm ??= loadWasm();
  const started = await wasm;
  await makeCurrent("wasm");
  return started;
}

/**
 * Starts tfjs's WebGPU backend and makes it the current one, when `navigator.gpu` gives an
 * adapter. Deno 2.9 has `navigator.gpu` without any flag. Values can be read with `data()` only:
 * tfjs needs a browser's canvas for `dataSync()` on this backend.
 *
 * @returns version, devices and threads, or why it is unavailable.
 */
export async function startWebGpu(): Promise<StartedFallback | Unavailable> {
  webGpu ??= loadWebGpu();
  const started = await webGpu;
  if (!("unavailable" in started)) await makeCurrent("webgpu");
  return started;
}

async function loadWasm(): Promise<StartedFallback> {
  const { version_wasm } = await import("@tensorflow/tfjs-backend-wasm");
  cpuBackend(); // before any tensor, so that it never greets
  await withoutNewListeners(() => makeCurrent("wasm"));
  const backend = tf.backend() as WasmBackend;
  refuseFullHeap(backend);
  readComplexTensors(backend);
  borrowMissingKernels(backend);
  borrowForWrongKernels(backend);
  patchKernels(backend);
  const simd = await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT");
  return {
    version: version_wasm,
    devices: [simd ? "wasm:simd" : "wasm:scalar"],
    threads: 1,
    hardware: false,
  };
}

async function loadWebGpu(): Promise<StartedFallback | Unavailable> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === undefined) return { unavailable: "this runtime has no navigator.gpu" };
  if (adapter === null) return { unavailable: "navigator.gpu gives no adapter" };
  try {
    cpuBackend(); // tfjs forwards small integer work to it
    await import("@tensorflow/tfjs-backend-webgpu");
    await makeCurrent("webgpu");
    patchWebGpu();
    refuseSynchronousReads();
    const { description, vendor, device } = adapter.info;
    const name = description || [vendor, device].filter(Boolean).join(" ") || "webgpu:0";
    const software = /llvmpipe|lavapipe|swiftshader|basic render/i.test(name);
    return { version: tf.version_core, devices: [name], threads: 0, hardware: !software };
  } catch (error) {
    return { unavailable: error instanceof Error ? error.message : String(error) };
  }
}

async function makeCurrent(name: string): Promise<void> {
  if (tf.getBackend() === name) return;
  if (await tf.setBackend(name)) return;
  throw new Error(
    `Cannot start the ${name} engine: its backend must initialise, current value is "failed". ` +
      "Reinstall the npm packages, or use another engine",
  );
}

/** tfjs would fail inside a missing canvas; this says which call to use instead. */
function refuseSynchronousReads(): void {
  const backend = tf.backend() as KernelBackend & {
    tensorMap: { get(dataId: object): { values: unknown; dtype: DataType } };
  };
  const readSync = backend.readSync.bind(backend);
  backend.readSync = (dataId: object) => {
    const { values, dtype } = backend.tensorMap.get(dataId);
    if (values == null && dtype !== "string" && dtype !== "complex64") {
      throw new Error(
        "Cannot read a tensor: it must be on the host for dataSync() and arraySync(), current " +
          'value is "on the WebGPU device". Use await tensor.data()',
      );
    }
    return readSync(dataId);
  };
}

/** Emscripten's Node code listens for uncaught errors of the whole process; takes that back. */
async function withoutNewListeners(action: () => Promise<void>): Promise<void> {
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const before = events.map((event) => new Set<unknown>(process.listeners(event as "exit")));
  await action();
  events.forEach((event, i) => {
    for (const listener of process.listeners(event as "exit")) {
      if (!before[i]!.has(listener)) process.removeListener(event, listener);
    }
  });
}
