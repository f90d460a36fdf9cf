/** SavedModels: loaded into a session, run by tensor names, deleted. */
import {
  addressOf,
  check,
  cStringOnce,
  type Library,
  type Pointer,
  readCString,
} from "./_library.ts";
import type { TensorMetadata, TensorTable } from "./_tensors.ts";

interface Loaded {
  readonly session: Pointer;
  readonly graph: Pointer;
  readonly folder: string;
}

/** The loaded SavedModels of one context. */
export class SavedModels {
  readonly #library: Library;
  readonly #tensors: TensorTable;
  readonly #config: Uint8Array<ArrayBuffer>;
  readonly #loaded = new Map<number, Loaded>();
  #next = 0;

  /**
   * @param library The open library.
   * @param tensors The context's tensors.
   * @param config A serialised `ConfigProto` for the sessions.
   */
  constructor(library: Library, tensors: TensorTable, config: Uint8Array<ArrayBuffer>) {
    this.#library = library;
    this.#tensors = tensors;
    this.#config = config;
  }

  /** Models loaded and not deleted. */
  get size(): number {
    return this.#loaded.size;
  }

  /**
   * Loads a SavedModel.
   *
   * @param folder The folder that holds `saved_model.pb`.
   * @param tags Comma-separated tags of the graph, usually `serve`.
   * @returns The model's id.
   * @throws {TensorFlowError} Naming the folder.
   */
  load(folder: string, tags: string): number {
    const { api, status } = this.#library;
    const tagBytes = tags.split(",").map(cStringOnce);
    const options = api.TF_NewSessionOptions();
    api.TF_SetConfig(options, this.#config, BigInt(this.#config.length), status);
    const graph = api.TF_NewGraph();
    const session = api.TF_LoadSessionFromSavedModel(
      options,
      null,
      cStringOnce(folder),
      BigUint64Array.from(tagBytes, addressOf),
      tagBytes.length,
      graph,
      null,
      status,
    );
    const message = api.TF_GetCode(status) === 0 ? "" : readCString(api.TF_Message(status));
    api.TF_DeleteSessionOptions(options);
    if (message !== "") {
      api.TF_DeleteGraph(graph);
      throw new Error(`Cannot load SavedModel "${folder}" with tags "${tags}": ${message}`);
    }
    const id = this.#next++;
    this.#loaded.set(id, { session, graph, folder });
    return id;
  }

  /**
   * Runs a model.
   *
   * @param id What {@link load} returned.
   * @param inputs Tensor ids.
   * @param inputNames Comma-separated `name:index`, one for each input.
   * @param outputNames Comma-separated `name:index`.
   * @returns The outputs, in the order of their names.
   */
  run(
    id: number,
    inputs: readonly number[],
    inputNames: string,
    outputNames: string,
  ): TensorMetadata[] {
    const { api, status } = this.#library;
    const model = this.#model(id);
    const names = inputNames === "" ? [] : inputNames.split(",");
    const outputs = outputNames.split(",");
    if (names.length !== inputs.length) {
      throw new RangeError(
        `Cannot run SavedModel "${model.folder}": it was given ${names.length} input names, current value is ${inputs.length} tensors`,
      );
    }
    const inputRefs = this.#outputs(model, names);
    const outputRefs = this.#outputs(model, outputs);
    const tensors = inputs.map((input) => this.#tensors.resolve(input));
    const results = new BigUint64Array(outputs.length);
    api.TF_SessionRun(
      model.session,
      null,
      inputRefs,
      BigUint64Array.from(tensors, (t) => BigInt(Deno.UnsafePointer.value(t))),
      tensors.length,
      outputRefs,
      results,
      outputs.length,
      null,
      0,
      null,
      status,
    );
    tensors.forEach((tensor) => api.TF_DeleteTensor(tensor));
    check(
      this.#library,
      `Cannot run SavedModel "${model.folder}" (${inputNames} → ${outputNames})`,
    );
    return Array.from(results, (address) => {
      const tensor = Deno.UnsafePointer.create(address);
      const handle = api.TFE_NewTensorHandle(tensor, status);
      api.TF_DeleteTensor(tensor);
      check(this.#library, "Cannot take an output of a SavedModel");
      return this.#tensors.adopt(handle);
    });
  }

  /** Frees a model. */
  delete(id: number): void {
    const { api, status } = this.#library;
    const model = this.#model(id);
    this.#loaded.delete(id);
    api.TF_CloseSession(model.session, status);
    api.TF_DeleteSession(model.session, status);
    api.TF_DeleteGraph(model.graph);
    check(this.#library, `Cannot delete SavedModel "${model.folder}"`);
  }

  #model(id: number): Loaded {
    const model = this.#loaded.get(id);
    if (model === undefined) {
      throw new Error(
        `Cannot use SavedModel: it was deleted or never loaded, current value is id ${id}`,
      );
    }
    return model;
  }

  /** `name:index` references as an array of `TF_Output`. */
  #outputs(model: Loaded, names: readonly string[]): BigUint64Array<ArrayBuffer> {
    const refs = new BigUint64Array(names.length * 2);
    names.forEach((full, i) => {
      const [name, index] = full.split(":") as [string, string | undefined];
      const operation = this.#library.api.TF_GraphOperationByName(model.graph, cStringOnce(name));
      if (operation === null) {
        throw new Error(
          `Cannot run SavedModel "${model.folder}": its graph has no operation of this name, current value is "${name}"`,
        );
      }
      refs[2 * i] = BigInt(Deno.UnsafePointer.value(operation));
      refs[2 * i + 1] = BigInt(index ?? 0);
    });
    return refs;
  }
}
