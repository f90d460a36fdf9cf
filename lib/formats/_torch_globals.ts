import { elementCount } from "./_dtype.ts";
import { spanOf } from "./_strided.ts";
import { shapeText, TENSOR_DTYPES } from "./_tensor_dtype.ts";
import { TORCH_DTYPES, TYPED_STORAGES, UNTYPED_STORAGE } from "./_torch_dtype.ts";
import type { PickleContext, PickleGlobal } from "./pickle_globals.ts";
import { PickleReference, PickleTuple, pickleTypeName } from "./pickle_values.ts";
import { TorchRecord } from "./_torch_record.ts";
import type { TensorDtype } from "./tensor_types.ts";
import {
  TorchDevice,
  type TorchObject,
  TorchOrderedDict,
  TorchSize,
  type TorchStorage,
  TorchTensor,
  type TorchValue,
} from "./torch_values.ts";

type Args = readonly TorchValue[];
/** About what a tensor takes in memory, V8 on 64 bits. */
const TENSOR_COST = 500;
/** As PyTorch and NumPy allow. */
const MAX_DIMENSIONS = 64;

/** Names that tensors in checkpoints need, beside those of any pickle. */
export const TORCH_GLOBALS: Readonly<Record<string, PickleGlobal<TorchObject>>> = {
  ...mentions(Object.keys(TYPED_STORAGES)),
  ...mentions([UNTYPED_STORAGE, ...Object.keys(TORCH_DTYPES)]),
  "torch._utils._rebuild_tensor_v2": { construct: rebuildTensor },
  "torch._utils._rebuild_tensor_v3": { construct: rebuildTensorOfDtype },
  "torch._utils._rebuild_parameter": { construct: rebuildParameter },
  "torch._utils._rebuild_parameter_with_state": { construct: rebuildParameter },
  "torch.Size": { construct: makeSize },
  "torch.device": { construct: makeDevice },
  "collections.OrderedDict": { construct: makeOrderedDict, build: setAttributes },
  "collections.Counter": { construct: makeCounter },
};

function mentions(names: readonly string[]): Record<string, PickleGlobal<TorchObject>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

/** `(storage, offset, size, stride, requires_grad, backward_hooks[, metadata])` */
function rebuildTensor(args: Args, context: PickleContext): TorchTensor {
  const storage = storageOf(args, context);
  const dtype = storage.dtype ??
    context.fail("the storage of a tensor should have a dtype", "an untyped one");
  return viewOf(storage, dtype, args, args[6], context);
}

/** As before, with a dtype after the hooks, for those that have no typed storage. */
function rebuildTensorOfDtype(args: Args, context: PickleContext): TorchTensor {
  const name = args[6];
  const dtype = name instanceof PickleReference ? TORCH_DTYPES[name.name] : undefined;
  if (dtype === undefined) {
    return context.fail("the dtype of a tensor should be known", pickleTypeName(name));
  }
  return viewOf(storageOf(args, context), dtype, args, args[7], context);
}

/** `(tensor, requires_grad, backward_hooks[, attributes])` */
function rebuildParameter(args: Args, context: PickleContext): TorchTensor {
  const [tensor, requiresGrad] = args;
  if (!(tensor instanceof TorchTensor) || typeof requiresGrad !== "boolean") {
    return context.fail("a parameter should be (tensor, bool, hooks)", names(args));
  }
  context.charge(TENSOR_COST);
  return new TorchTensor(tensor.storage, { ...tensor, requiresGrad, isParameter: true });
}

function storageOf(args: Args, context: PickleContext): TorchRecord {
  const [storage] = args;
  if (storage instanceof TorchRecord && args.length >= 6) return storage;
  return context.fail("a tensor should be (storage, offset, size, stride, …)", names(args));
}

function viewOf(
  storage: TorchStorage,
  dtype: TensorDtype,
  args: Args,
  metadata: TorchValue | undefined,
  context: PickleContext,
): TorchTensor {
  const [, offset, size, stride, requiresGrad] = args;
  const shape = naturals(size, "the size", context);
  const strides = naturals(stride, "the strides", context);
  if (strides.length !== shape.length || shape.length > MAX_DIMENSIONS) {
    const should = `a tensor ${shapeText(shape)} should have as many strides, at most 64`;
    context.fail(should, shapeText(strides));
  }
  if (Number.isNaN(elementCount(shape))) {
    context.fail("a tensor should have fewer than 2⁵³ elements", shapeText(shape));
  }
  if (typeof offset !== "number" || !Number.isSafeInteger(offset) || offset < 0) {
    return context.fail("a tensor should begin at a whole offset from 0", String(offset));
  }
  if (typeof requiresGrad !== "boolean") {
    return context.fail("requires_grad should be a bool", pickleTypeName(requiresGrad));
  }
  if (metadata !== undefined && !(metadata instanceof Map && metadata.size === 0)) {
    context.fail(
      "a tensor should hold its elements as they are",
      metadata instanceof Map ? [...metadata.keys()].join(", ") : pickleTypeName(metadata),
      "Save it with resolve_conj() and resolve_neg().",
    );
  }
  const span = spanOf(shape, strides), room = storage.bytes / TENSOR_DTYPES[dtype].bytes;
  if (span > 0 && !(offset + span <= room)) {
    context.fail(
      `a ${dtype} tensor ${shapeText(shape)} with the strides ${shapeText(strides)} at ${offset} ` +
        `should lie within its storage ${storage.key} of ${Math.floor(room)} elements`,
      `${offset + span}`,
    );
  }
  context.charge(TENSOR_COST + 16 * shape.length);
  return new TorchTensor(storage, {
    dtype,
    shape,
    strides,
    offset,
    requiresGrad,
    isParameter: false,
  });
}

function naturals(
  value: TorchValue | undefined,
  name: string,
  context: PickleContext,
): readonly number[] {
  const items: readonly unknown[] = value instanceof PickleTuple ? value.items : [NaN];
  const isRight = items.every((item) => typeof item === "number" && item >= 0);
  if (isRight && items.every(Number.isSafeInteger)) return items as readonly number[];
  return context.fail(
    `${name} of a tensor should be a tuple of whole numbers from 0`,
    value instanceof PickleTuple ? shapeText(items) : pickleTypeName(value),
  );
}

function makeSize(args: Args, context: PickleContext): TorchSize {
  context.charge(64);
  return new TorchSize(naturals(args[0], "torch.Size", context));
}

function makeDevice(args: Args, context: PickleContext): TorchDevice {
  const [type, index] = args;
  if (typeof type !== "string" || args.length > 2) {
    return context.fail("torch.device should be (str) or (str, int)", names(args));
  }
  if (index !== undefined && typeof index !== "number") {
    return context.fail("torch.device should be (str, int)", names(args));
  }
  context.charge(64);
  return new TorchDevice(index === undefined ? type : `${type}:${index}`);
}

function makeOrderedDict(args: Args, context: PickleContext): TorchOrderedDict {
  const [items = []] = args;
  if (!Array.isArray(items) || args.length > 1) {
    return context.fail("OrderedDict should be called with () or (list)", names(args));
  }
  context.charge(300 + items.length * 48);
  const dict = new TorchOrderedDict();
  for (const item of items) {
    const pair = item instanceof PickleTuple ? item.items : item;
    if (!Array.isArray(pair) || pair.length !== 2) {
      return context.fail("an OrderedDict is made of pairs", pickleTypeName(item));
    }
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

function setAttributes(dict: TorchValue, state: TorchValue, context: PickleContext): void {
  if (!(state instanceof Map)) {
    context.fail("the attributes of an OrderedDict should be a dict", pickleTypeName(state));
  }
  (dict as TorchOrderedDict).attributes = state as Map<TorchValue, TorchValue>;
}

/** `({value: count})`, as schedulers note their milestones. */
function makeCounter(args: Args, context: PickleContext): TorchValue {
  const [counts = new Map()] = args;
  if (!(counts instanceof Map) || args.length > 1) {
    return context.fail("Counter should be called with () or (dict)", names(args));
  }
  context.charge(200 + counts.size * 48);
  return new Map(counts);
}

function names(args: Args): string {
  return `(${args.map(pickleTypeName).join(", ")})`;
}
