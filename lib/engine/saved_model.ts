/** TensorFlow's SavedModel format, run on the native engine. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import {
  type MetaGraph,
  readMetaGraphs,
  type Signature,
  type TensorEntry,
} from "./_saved_model_proto.ts";
import { nativeBackend } from "./tensorflow/_active.ts";
import { ATTR } from "./tensorflow/_attributes.ts";
import type { TensorFlowBackend } from "./tensorflow/_backend.ts";
import { describe, DT, dtypeName } from "./tensorflow/_dtypes.ts";

/** An input or output of a {@linkcode SavedModel}. */
export interface SavedModelTensor {
  /** The dtype in the model, such as `int64`. */
  readonly modelDtype: string;
  /** The dtype of the tfjs tensor that stands for it, such as `int32`. */
  readonly dtype: tf.DataType;
  /** Its shape, with null where any size is taken; undefined if any rank is taken. */
  readonly shape: readonly (number | null)[] | undefined;
}

/** Options of {@linkcode loadSavedModel}. */
export interface LoadSavedModelOptions {
  /** The tags of the graph. @default {["serve"]} */
  readonly tags?: readonly string[];
  /** The signature that {@linkcode SavedModel.run} runs. @default {"serving_default"} */
  readonly signature?: string;
}

/** The dtype that tfjs holds a `TF_DataType` as. */
const HELD_AS: ReadonlyMap<number, tf.DataType> = new Map<number, tf.DataType>([
  ...[DT.float32, DT.float64, DT.float16, DT.bfloat16].map((type) => [type, "float32"] as const),
  ...[DT.int64, DT.int32, DT.int16, DT.int8, DT.uint64, DT.uint32, DT.uint16, DT.uint8]
    .map((type) => [type, "int32"] as const),
  [DT.bool, "bool"],
  [DT.complex64, "complex64"],
  [DT.string, "string"],
]);

/** One signature of a loaded SavedModel; see {@linkcode loadSavedModel}. */
export class SavedModel {
  /** The folder it was loaded from. */
  readonly folder: string;
  /** The inputs by name. */
  readonly inputs: Readonly<Record<string, SavedModelTensor>>;
  /** The outputs by name. */
  readonly outputs: Readonly<Record<string, SavedModelTensor>>;
  readonly #native: TensorFlowBackend;
  readonly #signature: Signature;
  #id: number | undefined;

  /** @internal Use {@linkcode loadSavedModel}. */
  constructor(native: TensorFlowBackend, id: number, folder: string, signature: Signature) {
    this.#native = native;
    this.#id = id;
    this.#signature = signature;
    this.folder = folder;
    this.inputs = publicEntries(signature.inputs, folder);
    this.outputs = publicEntries(signature.outputs, folder);
  }

  /**
   * Runs the signature.
   *
   * @param inputs A tensor for each input, of the input's tfjs dtype; they stay the caller's.
   * @returns The outputs by name; integers of every width as int32, floats of every width as float32.
   * @throws {TypeError} If an input is missing, unknown, or has another dtype.
   * @throws {Error} If the model was disposed, if a function is being traced, or if TensorFlow refuses.
   */
  run(inputs: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> {
    const { binding } = this.#native;
    if (this.#id === undefined) this.#refuse("it was disposed");
    if (binding.tracer !== undefined) {
      this.#refuse("a compiled function cannot call it; run it outside and pass its outputs in");
    }
    this.#expectInputs(inputs);
    const made: number[] = [];
    try {
      const ids = [...this.#signature.inputs].map(([name, { dtype }]) => {
        const [id] = this.#native.ids([inputs[name]!]);
        const { dtype: given } = binding.tensors.metadata(id!);
        return given === dtype ? id! : kept(made, this.#cast(id!, given, dtype).id);
      });
      const found = binding.runSavedModel(
        this.#id!,
        ids,
        graphNames(this.#signature.inputs),
        graphNames(this.#signature.outputs),
      );
      return Object.fromEntries([...this.#signature.outputs.keys()].map((name, i) => {
        const output = found[i]!;
        const held = DT[this.outputs[name]!.dtype as keyof typeof DT];
        if (held === output.dtype) return [name, this.#native.tensor(output)];
        made.push(output.id);
        return [name, this.#native.tensor(this.#cast(output.id, output.dtype, held))];
      }));
    } finally {
      for (const id of made) binding.tensors.delete(id);
    }
  }

  /** Frees the model; a second call does nothing. */
  dispose(): void {
    if (this.#id === undefined) return;
    this.#native.binding.deleteSavedModel(this.#id);
    this.#id = undefined;
  }

  #cast(id: number, from: number, to: number) {
    const attributes = [
      { name: "SrcT", type: ATTR.type, value: from },
      { name: "DstT", type: ATTR.type, value: to },
    ];
    return this.#native.binding.execute("Cast", attributes, [id], 1)[0]!;
  }

  #expectInputs(inputs: Readonly<Record<string, tf.Tensor>>): void {
    const expected = Object.keys(this.inputs).sort().join(", ");
    const given = Object.keys(inputs).sort().join(", ");
    if (expected !== given) {
      throw new TypeError(
        `Cannot run SavedModel "${this.folder}": its inputs are ${expected}, current value is ${given}`,
      );
    }
    for (const [name, { dtype }] of Object.entries(this.inputs)) {
      if (inputs[name]!.dtype !== dtype) {
        throw new TypeError(
          `Cannot run SavedModel "${this.folder}": input "${name}" takes ${dtype}, current value is ${
            inputs[name]!.dtype
          }; cast it`,
        );
      }
    }
  }

  #refuse(problem: string): never {
    throw new Error(`Cannot run SavedModel "${this.folder}": ${problem}`);
  }
}

/**
 * Loads a SavedModel, the folder that `tf.saved_model.save` writes in Python. Needs the native engine.
 *
 * @param path The folder that holds `saved_model.pb`.
 * @param options Tags and signature.
 * @returns The model; dispose it when it is no longer needed.
 * @throws {Error} If the engine is not TensorFlow, if the folder holds no SavedModel, or if the model
 * has no graph with these tags or no such signature.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loadSavedModel, startEngine, tf } from "trocar/engine";
 *
 * const engine = await startEngine({ quiet: true });
 * if (engine.name === "tensorflow") {
 *   const model = await loadSavedModel("data-fixtures/saved_model/affine");
 *   const { y } = model.run({ x: tf.tensor2d([[1, 0]]) });
 *   assert((await y!.data())[1] === 2.5);
 *   model.dispose();
 * }
 * ```
 */
export async function loadSavedModel(
  path: string | URL,
  options: LoadSavedModelOptions = {},
): Promise<SavedModel> {
  const folder = path instanceof URL ? fileURLToPath(path) : path;
  const { tags = ["serve"], signature = "serving_default" } = options;
  const refuse = (problem: string): never => {
    throw new Error(`Cannot load SavedModel "${folder}": ${problem}`);
  };
  const native = nativeBackend() ??
    refuse(
      `it needs the engine tensorflow, current value is ${tf.getBackend()}; start that engine first`,
    );
  const file = await Deno.stat(join(folder, "saved_model.pb")).catch(() => undefined);
  if (!file?.isFile) refuse("there is no file saved_model.pb in it");
  const graphs = await readMetaGraphs(folder);
  const graph = graphs.find((candidate) => isSameSet(candidate.tags, tags)) ??
    refuse(`its graphs have the tags ${listTags(graphs)}, current value is "${tags.join(",")}"`);
  const found = graph.signatures.get(signature) ??
    refuse(
      `its signatures are ${
        [...graph.signatures.keys()].join(", ")
      }, current value is "${signature}"`,
    );
  const id = native.binding.loadSavedModel(folder, tags.join(","));
  try {
    return new SavedModel(native, id, folder, found);
  } catch (error) {
    native.binding.deleteSavedModel(id);
    throw error;
  }
}

function publicEntries(
  entries: ReadonlyMap<string, TensorEntry>,
  folder: string,
): Record<string, SavedModelTensor> {
  return Object.fromEntries([...entries].map(([name, { dtype, shape }]) => {
    const held = HELD_AS.get(dtype);
    if (held === undefined) {
      throw new TypeError(
        `Cannot load SavedModel "${folder}": tfjs has no dtype for "${name}", current value is ${
          describe(dtype, shape ?? [])
        }`,
      );
    }
    return [name, {
      modelDtype: dtypeName(dtype),
      dtype: held,
      shape: shape?.map((dim) => dim < 0 ? null : dim),
    }];
  }));
}

function kept(list: number[], id: number): number {
  list.push(id);
  return id;
}

const graphNames = (entries: ReadonlyMap<string, TensorEntry>) =>
  [...entries.values()].map((entry) => entry.graphName).join(",");

const isSameSet = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((tag) => b.includes(tag));

const listTags = (graphs: readonly MetaGraph[]) =>
  graphs.map((graph) => `"${graph.tags.join(",")}"`).join(", ");
