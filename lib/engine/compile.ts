/** Turns a function of tensors into one TensorFlow function for each signature of its inputs. */
import * as tf from "@tensorflow/tfjs";
import { callSite } from "./_guards.ts";
import { trace } from "./_trace.ts";
import { hasBfloat16 } from "./_bfloat16.ts";
import { CollectiveInXla } from "./collectives/_collective_in_xla.ts";
import { flatten, type FlatTree, type Tree } from "./_tree.ts";
import { activeTracer, nativeBackend } from "./tensorflow/_active.ts";
import { ATTR, type Attribute } from "./tensorflow/_attributes.ts";
import type { TensorFlowBackend } from "./tensorflow/_backend.ts";
import { dtypeOf } from "./tensorflow/_kernels.ts";
import type { TracedFunction } from "./tensorflow/_traced.ts";

export type { Tree } from "./_tree.ts";

/** How a function is compiled. */
export interface CompileOptions {
  /** What errors call the function. @default {the function's own name} */
  readonly name?: string;
  /**
   * What runs it: `onednn` is TensorFlow's executor with oneDNN's kernels, `xla` compiles it as one
   * program. `auto` is `xla` on a GPU, where launching kernels one by one takes longer than running
   * them, and `onednn` on a CPU and for functions that sum over processes, which XLA cannot compile.
   * @default {"auto"}
   */
  readonly executor?: "auto" | "onednn" | "xla";
  /**
   * `bfloat16` computes matrix products and convolutions in bfloat16, with float32 inputs, outputs and
   * gradients. It pays on a GPU and on a CPU with AMX; on one with AVX-512 only it works but is no
   * faster; on a CPU without bfloat16 instructions, and on engines that run op by op, it changes nothing.
   * @default {"float32"}
   */
  readonly precision?: "float32" | "bfloat16";
  /** Signatures after which a further one is an error instead of another function. @default {16} */
  readonly maxSignatures?: number;
  /** Called after each trace. */
  readonly onTrace?: (report: TraceReport) => void;
}

/** What a trace made. */
export interface TraceReport {
  /** The function's name. */
  readonly name: string;
  /** Its input signature. */
  readonly signature: string;
  /** Signatures traced so far, this one included. */
  readonly signatures: number;
  /** Nodes of the graph. */
  readonly nodes: number;
  /** Tensors and variables taken from outside of the function. */
  readonly captures: number;
  /** What runs it. */
  readonly executor: "onednn" | "xla";
  /** Seconds that tracing took. */
  readonly seconds: number;
}

/** A compiled function; call it as the original. */
export interface Compiled<Arguments extends Tree[], Result extends Tree> {
  (...inputs: Arguments): Result;
  /** Signatures traced so far; 0 on engines that run op by op. */
  readonly signatures: number;
  /** Frees the traced functions and their hold on captured tensors. */
  dispose(): void;
}

interface Entry {
  readonly traced: TracedFunction;
  readonly inputIds: readonly number[];
  /** Ids and names of the variables among them. */
  readonly variables: readonly (readonly [id: number, name: string])[];
  readonly attributes: readonly Attribute[];
  readonly result: FlatTree;
  /** Own handles on captured tensors, so that disposing of the originals is safe. */
  readonly owned: readonly number[];
}

/**
 * Compiles a function of tensors.
 *
 * On the native engine the function runs once for each new signature (the form of its arguments, their
 * dtypes and shapes, and the values of plain arguments) while its ops are recorded; every later call
 * with that signature is one call of one TensorFlow function. Variables are read and assigned in
 * place, in the order in which the function does so. On the other engines, inside another compiled
 * function, and while tfjs records gradients, the function itself runs, op by op.
 *
 * Plain numbers from outside become constants. A number that changes must be passed as a tensor.
 *
 * @param fn A function of tensors, or of arrays and records of tensors and plain values.
 * @param options Name, executor, limit of signatures.
 * @returns The compiled function. Tensors that it returns are the caller's to dispose of; those that it
 * makes on the way are freed.
 * @throws {Error} When called on the native engine: if the function reads a traced value on the host, draws random numbers
 * in JavaScript, makes a tensor whose shape depends on values, or has too many signatures; the error
 * names the function and the place.
 *
 * The method is that of TensorFlow's `tf.function`: https://www.tensorflow.org/guide/function
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compile, startEngine, tf } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const norm = compile((x: tf.Tensor) => x.square().sum().sqrt(), { name: "norm" });
 * const length = norm(tf.tensor1d([3, 4]));
 * assert((await length.data())[0] === 5);
 * norm.dispose();
 * ```
 */
export function compile<Arguments extends Tree[], Result extends Tree>(
  fn: (...inputs: Arguments) => Result,
  options: CompileOptions = {},
): Compiled<Arguments, Result> {
  const { name = fn.name || "anonymous", maxSignatures = 16 } = options;
  if (fn.constructor.name === "AsyncFunction") {
    throw new TypeError(
      `Cannot compile "${name}": a compiled function must return at once, current value is an async function`,
    );
  }
  const entries = new Map<string, Entry>();
  let owner: TensorFlowBackend | undefined;

  const call = (...inputs: Arguments): Result => {
    const native = nativeBackend();
    const recording = (tf.engine() as unknown as { state: { gradientDepth: number } }).state;
    if (native === undefined || activeTracer() !== undefined || recording.gradientDepth > 0) {
      return tf.tidy(() => {
        // Each tensor that is returned is the caller's own, as on the native engine, even if the
        // function returns an input, a tensor from outside, or one tensor twice.
        const result = flatten(fn(...inputs), `the result of "${name}"`);
        return result.rebuild(result.tensors.map((tensor) => tensor.clone())) as tf.TensorContainer;
      }) as Result;
    }
    owner = native;
    const flat = flatten(inputs, `an argument of "${name}"`);
    let entry = entries.get(flat.signature);
    if (entry === undefined) {
      if (entries.size >= maxSignatures) throw tooMany(name, entries, flat.signature);
      const traceWith = (more: Partial<CompileOptions>) =>
        traceEntry(native, fn as unknown as (...inputs: never[]) => Tree, flat, {
          ...options,
          ...more,
          name,
        }, entries.size + 1);
      try {
        entry = traceWith({});
      } catch (error) {
        if (!(error instanceof CollectiveInXla)) throw error;
        if (options.executor === "xla") throw notInXla(name);
        entry = traceWith({ executor: "onednn" });
      }
      entries.set(flat.signature, entry);
    }
    return run(native, entry, flat.tensors) as Result;
  };
  return Object.defineProperty(
    Object.assign(call, {
      dispose: () => {
        for (const { traced, owned } of entries.values()) {
          owner!.removeFunction(traced);
          owned.forEach((id) => owner!.binding.tensors.delete(id));
        }
        entries.clear();
      },
    }),
    "signatures",
    { get: () => entries.size },
  ) as Compiled<Arguments, Result>;
}

function run(native: TensorFlowBackend, entry: Entry, inputs: readonly tf.Tensor[]): Tree {
  for (const [id, name] of entry.variables) {
    if (!native.variables.has(id)) {
      throw new Error(`Cannot call compiled function: its variable "${name}" was disposed`);
    }
  }
  const ids = [...native.ids(inputs), ...entry.inputIds];
  const outputs = native.binding.execute(
    entry.traced.name,
    entry.attributes,
    ids,
    entry.traced.outputs.length,
  );
  return entry.result.rebuild(outputs.map((metadata) => native.tensor(metadata)));
}

function traceEntry(
  native: TensorFlowBackend,
  fn: (...inputs: never[]) => Tree,
  flat: FlatTree,
  options: CompileOptions & { readonly name: string },
  signatures: number,
): Entry {
  const { binding } = native;
  const start = performance.now();
  const executor = options.executor === undefined || options.executor === "auto"
    ? binding.isUsingGpuDevice() ? "xla" : "onednn"
    : options.executor;
  let result: FlatTree | undefined;
  const owned: number[] = [];
  const variables: [number, string][] = [];
  let inputIds: number[] = [];
  const traced = trace(native, {
    name: options.name,
    options: {
      xla: executor === "xla",
      autocast: options.precision === "bfloat16" && hasBfloat16(binding),
    },
    inputs: flat.tensors.map((tensor) => ({
      shape: tensor.shape,
      dtype: dtypeOf(tensor),
    })),
    body: (inputs) => {
      result = flatten(
        fn(...flat.rebuild(inputs) as never[]),
        `the result of "${options.name}"`,
      );
      return result.tensors;
    },
    onFinish: ({ captures }) => {
      inputIds = captures.map((id) => {
        const variable = native.variables.get(id);
        if (variable !== undefined) {
          variables.push([id, variable.name]);
          return id;
        }
        const shared = binding.tensors.share(id);
        owned.push(shared);
        return shared;
      });
    },
  });
  options.onTrace?.({
    name: options.name,
    signature: flat.signature,
    signatures,
    nodes: traced.nodes,
    captures: traced.captures.length,
    executor,
    seconds: (performance.now() - start) / 1000,
  });
  const attributes = executor === "xla"
    ? [{ name: "_XlaMustCompile", type: ATTR.bool, value: true }]
    : [];
  return { traced, inputIds, variables, attributes, result: result!, owned };
}

function notInXla(name: string): Error {
  return new Error(
    `Cannot compile "${name}": XLA cannot compile a function that sums over processes, current value is executor "xla"; use "auto" or "onednn", or call Cluster.allReduce between two functions`,
  );
}

function tooMany(name: string, entries: ReadonlyMap<string, Entry>, signature: string): Error {
  const [last] = [...entries.keys()].slice(-1);
  return new RangeError(
    `Cannot compile "${name}" at ${
      callSite(new Error().stack)
    }: it has ${entries.size} signatures already, current value is ${signature} after ${last}; pass numbers that change as tensors, and pad batches to one shape`,
  );
}
