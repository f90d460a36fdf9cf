/** Tensor handles by number: made from and read into JavaScript arrays, counted and deleted. */
import { describe, DT, dtypeInfo, dtypeName, type ElementArray } from "./_dtypes.ts";
import { check, cString, dimsArray, type Library, type Pointer } from "./_library.ts";

/** What a tensor is made from: numbers, or one byte string per element for string tensors. */
export type TensorValues = ElementArray | readonly Uint8Array[];

/** Id, shape and `TF_DataType` of a tensor, as tfjs's node backend calls it. */
export interface TensorMetadata {
  id: number;
  shape: number[];
  dtype: number;
}

/** Bytes of a `TF_TString`. */
const STRING_SIZE = 24;

const isStrings = (values: TensorValues): values is readonly Uint8Array[] => Array.isArray(values);

/** The handles of one context. */
export class TensorTable {
  readonly #library: Library;
  readonly #context: Pointer;
  readonly #handles = new Map<number, Pointer>();
  readonly #device: string | undefined;
  #next = 0;

  /**
   * @param library The open library.
   * @param context The eager context.
   * @param device The GPU's name, if there is one: float tensors are moved there.
   */
  constructor(library: Library, context: Pointer, device: string | undefined) {
    this.#library = library;
    this.#context = context;
    this.#device = device;
  }

  /** Live handles. */
  get size(): number {
    return this.#handles.size;
  }

  /** Takes ownership of a handle and describes it. */
  adopt(handle: Pointer): TensorMetadata {
    const id = this.#next++;
    this.#handles.set(id, handle);
    return { id, ...this.#shapeAndType(handle) };
  }

  /** Shape and dtype of a handle. */
  metadata(id: number): TensorMetadata {
    return { id, ...this.#shapeAndType(this.handle(id)) };
  }

  /** A second handle on the same memory, which outlives the first. */
  share(id: number): number {
    const { api, status } = this.#library;
    const handle = api.TFE_TensorHandleCopySharingTensor(this.handle(id), status);
    check(this.#library, "Cannot share a tensor");
    return this.adopt(handle).id;
  }

  /** True when a tensor of this id exists. */
  has(id: number): boolean {
    return this.#handles.has(id);
  }

  /**
   * The handle of an id.
   *
   * @throws {Error} If the tensor was deleted or never existed.
   */
  handle(id: number): Pointer {
    const handle = this.#handles.get(id);
    if (handle === undefined) {
      throw new Error(
        id < -1
          ? "Cannot use tensor: it exists only inside the compiled function that made it; return it from there"
          : `Cannot use tensor: it does not exist or was disposed, current value is id ${id}`,
      );
    }
    return handle;
  }

  /**
   * Makes a tensor.
   *
   * @param shape Its shape; the number of values must match.
   * @param dtype Its `TF_DataType`. int64 accepts an `Int32Array` of twice the length (tfjs's form) or
   * a `BigInt64Array`; complex64 accepts interleaved real and imaginary parts.
   * @param values The values, copied.
   * @returns The id.
   */
  create(shape: readonly number[], dtype: number, values: TensorValues): number {
    return this.#adoptTensor(this.allocate(shape, dtype, values), shape, dtype, values);
  }

  /**
   * Makes a tensor whose memory is written in place, without a copy in JavaScript.
   *
   * @param shape Its shape.
   * @param dtype Its `TF_DataType`, of fixed size.
   * @param write Called once with all bytes of the tensor, which it must write before it returns.
   * @returns The id.
   */
  createWritten(
    shape: readonly number[],
    dtype: number,
    write: (bytes: Uint8Array<ArrayBuffer>) => void,
  ): number {
    const { api } = this.#library;
    const bytes = shape.reduce((product, dim) => product * dim, dtypeInfo(dtype)!.size);
    const tensor = api.TF_AllocateTensor(dtype, dimsArray(shape), shape.length, BigInt(bytes));
    if (tensor === null) {
      throw new RangeError(
        `Cannot create ${describe(dtype, shape)}: out of memory, current value is ${bytes} bytes`,
      );
    }
    try {
      if (bytes > 0) {
        const data = api.TF_TensorData(tensor)!;
        write(new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(data, bytes)));
      }
    } catch (error) {
      api.TF_DeleteTensor(tensor);
      throw error;
    }
    return this.#adoptTensor(tensor, shape, dtype, []);
  }

  #adoptTensor(
    tensor: Pointer,
    shape: readonly number[],
    dtype: number,
    values: TensorValues,
  ): number {
    const { api, status } = this.#library;
    let handle = api.TFE_NewTensorHandle(tensor, status);
    if (dtype === DT.string) {
      handle = this.#owned(handle, tensor, (values as readonly Uint8Array[]).length);
    }
    api.TF_DeleteTensor(tensor);
    check(this.#library, () => `Cannot create ${describe(dtype, shape)}`);
    // Most GPU kernels read int32 (shapes, axes, indices) and strings from host memory.
    if (this.#device !== undefined && dtype !== DT.int32 && dtype !== DT.string) {
      const moved = api.TFE_TensorHandleCopyToDevice(
        handle,
        this.#context,
        cString(this.#device),
        status,
      );
      api.TFE_DeleteTensorHandle(handle);
      check(this.#library, () => `Cannot copy ${describe(dtype, shape)} to ${this.#device}`);
      handle = moved;
    }
    const id = this.#next++;
    this.#handles.set(id, handle);
    return id;
  }

  /** A `TF_Tensor` that holds the values; the caller deletes it. */
  allocate(shape: readonly number[], dtype: number, values: TensorValues): Pointer {
    const { api } = this.#library;
    const elements = shape.reduce((product, dim) => product * dim, 1);
    if (isStrings(values)) {
      if (dtype !== DT.string) {
        throw new TypeError(
          `Cannot create tensor: strings need dtype string, current value is ${dtypeName(dtype)}`,
        );
      }
      expectLength(shape, dtype, elements, values.length);
      return this.#allocateStrings(shape, values);
    }
    const info = dtypeInfo(dtype);
    if (info === undefined) {
      throw new TypeError(
        `Cannot create tensor: no array type holds ${
          dtypeName(dtype)
        }, current value is ${values.constructor.name}`,
      );
    }
    expectLength(shape, dtype, elements, values.byteLength / info.size);
    const tensor = api.TF_AllocateTensor(
      dtype,
      dimsArray(shape),
      shape.length,
      BigInt(values.byteLength),
    );
    if (tensor === null) {
      throw new RangeError(
        `Cannot create ${
          describe(dtype, shape)
        }: out of memory, current value is ${values.byteLength} bytes`,
      );
    }
    if (values.byteLength > 0) {
      const target = Deno.UnsafePointerView.getArrayBuffer(
        api.TF_TensorData(tensor)!,
        values.byteLength,
      );
      new Uint8Array(target).set(
        new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      );
    }
    return tensor;
  }

  /** Deletes a tensor. */
  delete(id: number): void {
    this.#library.api.TFE_DeleteTensorHandle(this.handle(id));
    this.#handles.delete(id);
  }

  /**
   * Copies a tensor's values to the host.
   *
   * @returns A typed array of the dtype's kind (float16 and bfloat16 as their 16-bit patterns, complex
   * interleaved), or one byte array per element for strings.
   */
  read(id: number): ElementArray | Uint8Array[] {
    const { api, status } = this.#library;
    const handle = this.handle(id);
    const dtype = api.TFE_TensorHandleDataType(handle);
    const tensor = api.TFE_TensorHandleResolve(handle, status);
    check(this.#library, () => `Cannot read ${dtypeName(dtype)} tensor`);
    try {
      const bytes = Number(api.TF_TensorByteSize(tensor));
      const data = api.TF_TensorData(tensor);
      if (dtype === DT.string) return this.#readStrings(data, bytes / STRING_SIZE);
      const copy = new Uint8Array(bytes);
      if (bytes > 0) Deno.UnsafePointerView.copyInto(data!, copy);
      return dtypeInfo(dtype)?.view(copy.buffer) ?? copy;
    } finally {
      api.TF_DeleteTensor(tensor);
    }
  }

  /** The `TF_Tensor` behind an id; the caller deletes it. */
  resolve(id: number): Pointer {
    const { api, status } = this.#library;
    const tensor = api.TFE_TensorHandleResolve(this.handle(id), status);
    check(this.#library, "Cannot resolve tensor");
    return tensor;
  }

  /** The device a tensor's memory is on, such as `/job:localhost/replica:0/task:0/device:CPU:0`. */
  device(id: number): string {
    const { api, status } = this.#library;
    const name = api.TFE_TensorHandleBackingDeviceName(this.handle(id), status);
    check(this.#library, "Cannot name the device of a tensor");
    return Deno.UnsafePointerView.getCString(name!);
  }

  #shapeAndType(handle: Pointer): { shape: number[]; dtype: number } {
    const { api, status } = this.#library;
    const rank = api.TFE_TensorHandleNumDims(handle, status);
    const shape = new Array<number>(Math.max(rank, 0));
    for (let i = 0; i < rank; i++) shape[i] = Number(api.TFE_TensorHandleDim(handle, i, status));
    return { shape, dtype: api.TFE_TensorHandleDataType(handle) };
  }

  #allocateStrings(shape: readonly number[], values: readonly Uint8Array[]): Pointer {
    const { api } = this.#library;
    const size = BigInt(values.length * STRING_SIZE);
    const tensor = api.TF_AllocateTensor(DT.string, dimsArray(shape), shape.length, size);
    const base = api.TF_TensorData(tensor);
    values.forEach((bytes, i) => {
      const slot = Deno.UnsafePointer.offset(base!, i * STRING_SIZE);
      api.TF_StringInit(slot);
      api.TF_StringCopy(slot, new Uint8Array(bytes), BigInt(bytes.length));
    });
    return tensor;
  }

  /**
   * Exchanges a handle on our string memory for one on TensorFlow's own copy, and frees ours.
   * TensorFlow never runs the destructors of strings in memory that it did not allocate, and freeing
   * them ourselves later would pull them from under every op output that shares the buffer.
   */
  #owned(handle: Pointer, tensor: Pointer, count: number): Pointer {
    const { api, status } = this.#library;
    const op = api.TFE_NewOp(this.#context, cString("DeepCopy"), status);
    api.TFE_OpAddInput(op, handle, status);
    const result = new BigUint64Array(1);
    api.TFE_Execute(op, result, Int32Array.of(1), status);
    const failed = api.TF_GetCode(status) !== 0;
    api.TFE_DeleteOp(op);
    api.TFE_DeleteTensorHandle(handle);
    const base = api.TF_TensorData(tensor);
    for (let i = 0; i < count; i++) {
      api.TF_StringDealloc(Deno.UnsafePointer.offset(base!, i * STRING_SIZE));
    }
    return failed ? null : Deno.UnsafePointer.create(result[0]!);
  }

  #readStrings(data: Pointer, count: number): Uint8Array[] {
    const { api } = this.#library;
    return Array.from({ length: count }, (_, i) => {
      const slot = Deno.UnsafePointer.offset(data!, i * STRING_SIZE);
      const out = new Uint8Array(Number(api.TF_StringGetSize(slot)));
      if (out.length > 0) {
        Deno.UnsafePointerView.copyInto(api.TF_StringGetDataPointer(slot)!, out);
      }
      return out;
    });
  }
}

function expectLength(
  shape: readonly number[],
  dtype: number,
  expected: number,
  found: number,
): void {
  if (expected !== found) {
    throw new RangeError(
      `Cannot create ${
        describe(dtype, shape)
      }: it holds ${expected} values, current value is ${found}`,
    );
  }
}
