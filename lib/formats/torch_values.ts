import { allocate } from "./_allocate.ts";
import { elementCount } from "./_dtype.ts";
import { checkBooleans } from "./_npy_decode.ts";
import { checkRows, checkTarget, checkTensor, TENSOR_DTYPES } from "./_tensor_dtype.ts";
import { gather, isContiguous, spanOf } from "./_strided.ts";
import { PickleTuple, type PickleValue } from "./pickle_values.ts";
import type {
  StoredTensor,
  TensorArray,
  TensorDataTypes,
  TensorDtype,
  TensorExpect,
} from "./tensor_types.ts";

/** Larger tensors are not made of smaller storages. */
const MAX_EXPANDED_BYTES = 2 ** 30;

/** The memory that one or several tensors of a checkpoint view; one record of its archive. */
export interface TorchStorage {
  /** File and record, for messages. */
  readonly path: string;
  /** Its name in the checkpoint, e.g. `0`. */
  readonly key: string;
  /** The dtype of all tensors that view it; undefined where each says its own. */
  readonly dtype: TensorDtype | undefined;
  /** Its size. */
  readonly bytes: number;
  /** The device it was saved from, e.g. `cpu` or `cuda:0`. */
  readonly location: string;
  /**
   * Fills `target` with the bytes that begin at byte `offset`, in the machine's byte order. When
   * that is all of them, their CRC-32 is compared.
   *
   * @param target at an offset that is a multiple of the size of a number
   * @param offset in the storage, also such a multiple
   * @throws {SyntaxError} when the file is damaged
   */
  readInto(target: Uint8Array<ArrayBuffer>, offset: number): void;
  /**
   * Reads all bytes, a few megabytes at a time, and compares their CRC-32.
   *
   * @returns pieces that are valid until the next one is asked for
   * @throws {SyntaxError} when the file is damaged
   */
  pieces(): Iterable<Uint8Array<ArrayBuffer>>;
}

/** Where in its storage the elements of a {@linkcode TorchTensor} lie. */
export interface TorchView {
  /** PyTorch's name of the dtype. */
  readonly dtype: TensorDtype;
  /** Length along each axis; empty for a single value. */
  readonly shape: readonly number[];
  /** From an index of each axis to the next, in elements. */
  readonly strides: readonly number[];
  /** Of the first element in the storage, in elements. */
  readonly offset: number;
  /** Whether PyTorch tracks its gradient. */
  readonly requiresGrad: boolean;
  /** Whether it is a `torch.nn.Parameter`. */
  readonly isParameter: boolean;
}

/**
 * A tensor of a PyTorch checkpoint, whose elements are read when they are asked for. Tensors that
 * share memory in PyTorch have the same `storage`.
 */
export class TorchTensor implements StoredTensor, TorchView {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly requiresGrad: boolean;
  readonly isParameter: boolean;
  /** The memory that holds its elements. */
  readonly storage: TorchStorage;

  /**
   * Views a storage.
   *
   * @param storage the memory
   * @param view which must lie within the storage
   */
  constructor(storage: TorchStorage, view: TorchView) {
    this.storage = storage;
    this.dtype = view.dtype;
    this.shape = view.shape;
    this.strides = view.strides;
    this.offset = view.offset;
    this.requiresGrad = view.requiresGrad;
    this.isParameter = view.isParameter;
  }

  /** Bytes of all its elements. */
  get bytes(): number {
    return elementCount(this.shape) * TENSOR_DTYPES[this.dtype].bytes;
  }

  /** Whether its elements lie one after another in C order. */
  get isContiguous(): boolean {
    return isContiguous(this.shape, this.strides);
  }

  /**
   * Reads all elements, in C order, into new memory.
   *
   * @param expect dtype and shape that it should have; default any
   * @returns dtype, shape and data
   * @throws {SyntaxError} when the file is damaged, or it is not what is expected
   */
  read<D extends TensorDtype = TensorDtype>(expect: TensorExpect<D> = {}): TensorArray<D> {
    const { dtype, shape, storage } = this;
    checkTensor(storage.path, "its tensor", this, expect);
    return { dtype, shape, data: this.#rows(0, shape[0] ?? 1) } as unknown as TensorArray<D>;
  }

  readInto(target: ArrayBufferView<ArrayBuffer>): void {
    const { storage, bytes } = this;
    checkTarget(storage.path, "the tensor", TENSOR_DTYPES[this.dtype], bytes, target);
    this.#fill(target, 0, this.shape[0] ?? 1);
  }

  readRows(start: number, end: number): TensorDataTypes[TensorDtype] {
    checkRows(this.storage.path, "the tensor", this.shape[0] ?? 1, start, end);
    return this.#rows(start, end);
  }

  #rows(start: number, end: number): TensorDataTypes[TensorDtype] {
    const { shape, storage, bytes } = this;
    const layout = TENSOR_DTYPES[this.dtype], rows = shape[0] ?? 1;
    const needed = rows === 0 ? 0 : bytes / rows * (end - start);
    if (needed > storage.bytes && needed > MAX_EXPANDED_BYTES) {
      throw new SyntaxError(
        `Cannot read ${storage.path}: a tensor that repeats its elements should take at most ` +
          `${MAX_EXPANDED_BYTES} bytes, current value is ${needed} from ${storage.bytes}. Read ` +
          "some of its rows.",
      );
    }
    const buffer = allocate(needed);
    this.#fill(new Uint8Array(buffer), start, end);
    return layout.view(buffer, 0, needed / layout.wordBytes);
  }

  /** Puts rows into a target that has room for just them. */
  #fill(target: ArrayBufferView<ArrayBuffer>, start: number, end: number): void {
    const { storage, strides } = this;
    const { bytes, wordBytes } = TENSOR_DTYPES[this.dtype];
    const all = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    if (all.length === 0) return;
    const shape = this.shape.length === 0 ? [] : [end - start, ...this.shape.slice(1)];
    const offset = (this.offset + start * (strides[0] ?? 0)) * bytes;
    const isDirect = isContiguous(shape, strides) && all.byteOffset % wordBytes === 0;
    const span = isDirect ? all : new Uint8Array(allocate(spanOf(shape, strides) * bytes));
    storage.readInto(span, offset);
    if (!isDirect) gather(span, all, bytes, shape, strides);
    if (this.dtype === "bool") checkBooleans(all, { path: storage.path, offset });
  }
}

/** A `torch.Size`: a tuple of lengths. */
export class TorchSize extends PickleTuple<never> {}

/** A `torch.device`. */
export class TorchDevice {
  /** Type and index, e.g. `cpu` or `cuda:0`. */
  readonly name: string;

  /**
   * Names a device.
   *
   * @param name type and index, e.g. `cuda:0`
   */
  constructor(name: string) {
    this.name = name;
  }
}

/** An `OrderedDict`, as the state of a module is; it can hold attributes beside its entries. */
export class TorchOrderedDict extends Map<TorchValue, TorchValue> {
  /** By name, e.g. `_metadata`, in which PyTorch notes the versions of layers. */
  attributes: ReadonlyMap<TorchValue, TorchValue> = new Map();
}

/** What a checkpoint holds beside plain Python values. */
export type TorchObject =
  | TorchTensor
  | TorchStorage
  | TorchSize
  | TorchDevice
  | TorchOrderedDict;

/**
 * A value of a checkpoint: as {@linkcode PickleValue}, with tensors. A dtype such as `torch.float16`
 * is a `PickleReference`.
 */
export type TorchValue = PickleValue<TorchObject>;
