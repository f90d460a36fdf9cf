import { elementCount } from "./_dtype.ts";
import { PickleCall, PicklePersistent } from "./_pickle_call.ts";
import type { PickleEncoderOptions } from "./_pickle_encoder.ts";
import { inputProblem, TENSOR_DTYPES } from "./_tensor_dtype.ts";
import { TORCH_GLOBALS } from "./_torch_globals.ts";
import { typedStorageOf, UNTYPED_STORAGE } from "./_torch_dtype.ts";
import { PickleReference, PickleTuple } from "./pickle_values.ts";
import type { TensorInput } from "./tensor_types.ts";
import {
  TorchDevice,
  TorchOrderedDict,
  TorchSize,
  type TorchStorage,
  TorchTensor,
  type TorchView,
} from "./torch_values.ts";

/** What one record of the archive is made of. */
export type StorageSource = TorchStorage | TensorInput;

/** How the values of a checkpoint are written, and the storages that they need. */
export interface TorchReducer {
  readonly reduce: PickleEncoderOptions["reduce"];
  /** Each occurs once; the index is its key. */
  readonly sources: readonly StorageSource[];
}

const REBUILD = new PickleReference("torch._utils._rebuild_tensor_v2");
const REBUILD_OF_DTYPE = new PickleReference("torch._utils._rebuild_tensor_v3");
const REBUILD_PARAMETER = new PickleReference("torch._utils._rebuild_parameter");
const ORDERED_DICT = new PickleReference("collections.OrderedDict");
const SIZE = new PickleReference("torch.Size");
const DEVICE = new PickleReference("torch.device");

/** What `torch.load(weights_only=True)` may be asked for. */
export function isTorchName(name: string): boolean {
  return Object.hasOwn(TORCH_GLOBALS, name) || /^(_codecs\.encode|builtins\.set)$/.test(name);
}

/** Makes the calls that `torch.load(weights_only=True)` allows. */
export function torchReducer(): TorchReducer {
  const sources: StorageSource[] = [];
  /** Keys by storage, typed array or tensor; PyTorch gives a storage one dtype. */
  const keys = new Map<object, Map<string, string>>();
  const keyOf = (identity: object, dtype: string, source: StorageSource) => {
    const ofIdentity = keys.get(identity) ?? new Map<string, string>();
    const known = ofIdentity.get(dtype) ?? String(sources.push(source) - 1);
    keys.set(identity, ofIdentity.set(dtype, known));
    return known;
  };
  const reduce: TorchReducer["reduce"] = (value, refuse) => {
    if (value instanceof TorchTensor) return tensorOrParameter(value, keyOf);
    if (value instanceof TorchOrderedDict) {
      return new PickleCall(ORDERED_DICT, [], {
        entries: value,
        state: value.attributes.size > 0 ? value.attributes : undefined,
      });
    }
    if (value instanceof TorchSize) return new PickleCall(SIZE, [new PickleTuple(value.items)]);
    if (value instanceof TorchDevice) {
      const [type, index] = value.name.split(":");
      return new PickleCall(DEVICE, index === undefined ? [type] : [type, Number(index)]);
    }
    if (!isTensorInput(value)) return undefined;
    const problem = inputProblem(value);
    if (problem !== undefined) {
      refuse(`a tensor of ${problem.found}, which should ${problem.should}`);
    }
    const key = keyOf("data" in value ? value.data : value, value.dtype, value);
    const bytes = elementCount(value.shape) * TENSOR_DTYPES[value.dtype].bytes;
    return tensorCall(contiguous(value), key, bytes);
  };
  return { reduce, sources };
}

function tensorOrParameter(
  tensor: TorchTensor,
  keyOf: (identity: object, dtype: string, source: StorageSource) => string,
): PickleCall {
  const { storage } = tensor;
  const call = tensorCall(tensor, keyOf(storage, "", storage), storage.bytes);
  if (!tensor.isParameter) return call;
  return new PickleCall(REBUILD_PARAMETER, [call, tensor.requiresGrad, new TorchOrderedDict()]);
}

function isTensorInput(value: object): value is TensorInput {
  const { dtype, shape, data, read } = value as Record<string, unknown>;
  return typeof dtype === "string" && Array.isArray(shape) &&
    (ArrayBuffer.isView(data) || typeof read === "function");
}

/** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`, v3 with a dtype. */
function tensorCall(view: TorchView, key: string, storageBytes: number): PickleCall {
  const { dtype, shape, strides, offset } = view;
  const typed = typedStorageOf(dtype);
  const count = typed === undefined ? storageBytes : storageBytes / TENSOR_DTYPES[dtype].bytes;
  const type = new PickleReference(typed ?? UNTYPED_STORAGE);
  const storage = new PicklePersistent(["storage", type, key, "cpu", count]);
  const requiresGrad = view.requiresGrad && !view.isParameter;
  const args = [
    storage,
    offset,
    new PickleTuple(shape),
    new PickleTuple(strides),
    requiresGrad,
    new TorchOrderedDict(),
  ];
  if (typed !== undefined) return new PickleCall(REBUILD, args);
  return new PickleCall(REBUILD_OF_DTYPE, [...args, new PickleReference(`torch.${dtype}`)]);
}

function contiguous({ dtype, shape }: TensorInput): TorchView {
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, size) => product * Math.max(size, 1), 1)
  );
  return { dtype, shape, strides, offset: 0, requiresGrad: false, isParameter: false };
}
