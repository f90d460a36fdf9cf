/** The `TFJSBinding` that tfjs's node backend expects, on TensorFlow's C API instead of a native addon. */
import { type Attribute, setAttribute } from "./_attributes.ts";
import { type ContextConfig, encodeConfig } from "./_config_proto.ts";
import { type Device, listDevices, newContext } from "./_context.ts";
import { describe, DT, type ElementArray } from "./_dtypes.ts";
import { check, cString, type Library, type Pointer } from "./_library.ts";
import { SavedModels } from "./_saved_models.ts";
import { type TensorMetadata, TensorTable, type TensorValues } from "./_tensors.ts";

/** Takes over the creation of tensors and the execution of ops while a function is being traced. */
export interface Tracer {
  createTensor(shape: readonly number[], dtype: number, values: TensorValues): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): ElementArray | Uint8Array[];
  executeOp(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[];
}

/** One eager context and its tensors, callable by tfjs's kernels. */
export class TensorFlowBinding {
  readonly TF_FLOAT = DT.float32;
  readonly TF_INT32 = DT.int32;
  readonly TF_INT64 = DT.int64;
  readonly TF_BOOL = DT.bool;
  readonly TF_COMPLEX64 = DT.complex64;
  readonly TF_STRING = DT.string;
  readonly TF_RESOURCE = DT.resource;
  readonly TF_UINT8 = DT.uint8;
  readonly TF_ATTR_STRING = 0;
  readonly TF_ATTR_INT = 1;
  readonly TF_ATTR_FLOAT = 2;
  readonly TF_ATTR_BOOL = 3;
  readonly TF_ATTR_TYPE = 4;
  readonly TF_ATTR_SHAPE = 5;
  readonly TF_ATTR_RESOURCE = 6;
  readonly TF_Version: string;

  /** The open library. */
  readonly library: Library;
  /** The eager context. */
  readonly context: Pointer;
  /** Devices of the context. */
  readonly devices: readonly Device[];
  /** The tensors of the context. */
  readonly tensors: TensorTable;
  /** Set while a function is being traced. */
  tracer: Tracer | undefined;
  /** Puts an op's error in other words, where there are better ones. */
  explain: ((error: unknown) => unknown) | undefined;
  readonly #savedModels: SavedModels;

  /**
   * @param library The open library.
   * @param options Thread counts.
   * @param context Made by {@link newContext} with the same options.
   * @throws {TensorFlowError} If TensorFlow cannot make a context.
   */
  constructor(
    library: Library,
    options: ContextConfig,
    context: Pointer = newContext(library, options),
  ) {
    this.library = library;
    this.TF_Version = library.version;
    this.context = context;
    this.devices = listDevices(library, this.context);
    const gpu = this.devices.find((device) => device.type === "GPU");
    this.tensors = new TensorTable(library, this.context, gpu?.name);
    this.#savedModels = new SavedModels(library, this.tensors, encodeConfig(options));
  }

  /** Whether float tensors live on a GPU. */
  isUsingGpuDevice(): boolean {
    return this.devices.some((device) => device.type === "GPU");
  }

  /** Live tensor handles. */
  getNumOfTensors(): number {
    return this.tensors.size;
  }

  /** Makes a tensor, or a constant of the function being traced. */
  createTensor(shape: readonly number[], dtype: number, values: TensorValues): number {
    return this.tracer !== undefined
      ? this.tracer.createTensor(shape, dtype, values)
      : this.tensors.create(shape, dtype, values);
  }

  /** Deletes a tensor. */
  deleteTensor(id: number): void {
    if (this.tracer !== undefined) this.tracer.deleteTensor(id);
    else this.tensors.delete(id);
  }

  /** Copies a tensor's values to the host. */
  tensorDataSync(id: number): ElementArray | Uint8Array[] {
    return this.tracer !== undefined ? this.tracer.tensorDataSync(id) : this.tensors.read(id);
  }

  /**
   * Runs an op, or adds it to the function being traced.
   *
   * @param name The op's name, or a compiled function's.
   * @param attributes Its attributes.
   * @param inputs Tensor ids, list inputs flattened.
   * @param outputs How many outputs it has at most.
   * @returns The outputs.
   * @throws {TensorFlowError} Naming the op and the shapes of its inputs.
   */
  executeOp(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[] {
    return this.tracer !== undefined
      ? this.tracer.executeOp(name, attributes, inputs, outputs)
      : this.execute(name, attributes, inputs, outputs);
  }

  /** Runs an op now, even while tracing. */
  execute(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[] {
    const { api, status } = this.library;
    const op = this.#newOp(name, attributes, inputs);
    try {
      const results = new BigUint64Array(Math.max(outputs, 1));
      const count = Int32Array.of(outputs);
      api.TFE_Execute(op, results, count, status);
      this.#check(this.library, name, inputs);
      return this.#adopt(results, count[0]!);
    } finally {
      api.TFE_DeleteOp(op);
    }
  }

  /**
   * Runs an op on another thread, while this one goes on: for ops that wait for other processes.
   *
   * @param name The op's name.
   * @param attributes Its attributes.
   * @param inputs Tensor ids; they must stay until the op is done.
   * @param outputs How many outputs it has at most.
   * @returns The outputs.
   * @throws {TensorFlowError} Naming the op and the shapes of its inputs.
   */
  async executeElsewhere(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): Promise<TensorMetadata[]> {
    const { api } = this.library;
    const status = api.TF_NewStatus(); // the shared one is others' meanwhile
    const op = this.#newOp(name, attributes, inputs, "/device:CPU:0");
    try {
      const results = new BigUint64Array(Math.max(outputs, 1));
      const count = Int32Array.of(outputs);
      await api.executeElsewhere(op, results, count, status);
      this.#check({ ...this.library, status }, name, inputs);
      return this.#adopt(results, count[0]!);
    } finally {
      api.TFE_DeleteOp(op);
      api.TF_DeleteStatus(status);
    }
  }

  #newOp(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    device?: string,
  ): Pointer {
    const { api, status } = this.library;
    const place = () => `Cannot run ${this.describeCall(name, inputs)}`;
    const handles = inputs.map((id) => this.tensors.handle(id));
    const op = api.TFE_NewOp(this.context, cString(name), status);
    check(this.library, place);
    try {
      if (device !== undefined) api.TFE_OpSetDevice(op, cString(device), status);
      for (const handle of handles) {
        api.TFE_OpAddInput(op, handle, status);
        check(this.library, place);
      }
      for (const attribute of attributes) {
        setAttribute(this.library, op, false, attribute, (id) => this.tensors.resolve(id));
      }
      return op;
    } catch (error) {
      api.TFE_DeleteOp(op);
      throw error;
    }
  }

  #check(library: Library, name: string, inputs: readonly number[]): void {
    try {
      check(library, () => `Cannot run ${this.describeCall(name, inputs)}`);
    } catch (error) {
      throw this.explain === undefined ? error : this.explain(error);
    }
  }

  #adopt(results: BigUint64Array, count: number): TensorMetadata[] {
    return Array.from(
      { length: count },
      (_, i) => this.tensors.adopt(Deno.UnsafePointer.create(results[i]!)),
    );
  }

  /** `MatMul(float32[2,3], float32[4,5])`, for error messages. */
  describeCall(name: string, inputs: readonly number[]): string {
    const shown = inputs.slice(0, 8).map((id) => {
      if (!this.tensors.has(id)) return `disposed tensor ${id}`;
      const { dtype, shape } = this.tensors.metadata(id);
      return describe(dtype, shape);
    });
    if (inputs.length > shown.length) shown.push(`… ${inputs.length - shown.length} more`);
    return `${name}(${shown.join(", ")})`;
  }

  /** Loads a SavedModel folder; see {@link SavedModels.load}. */
  loadSavedModel(folder: string, tags: string): number {
    return this.#savedModels.load(folder, tags);
  }

  /** Deletes a loaded SavedModel. */
  deleteSavedModel(id: number): void {
    this.#savedModels.delete(id);
  }

  /** Runs a loaded SavedModel; see {@link SavedModels.run}. */
  runSavedModel(
    id: number,
    inputs: readonly number[],
    inputNames: string,
    outputNames: string,
  ): TensorMetadata[] {
    return this.#savedModels.run(id, inputs, inputNames, outputNames);
  }

  /** Loaded SavedModels. */
  getNumOfSavedModels(): number {
    return this.#savedModels.size;
  }
}
