import {
  type TorchCheckpoint,
  type TorchObject,
  TorchTensor,
  type TorchValue,
} from "../../lib/formats/mod.ts";
import { content, formatFixture, type TensorContent } from "./_tensor_fixtures.ts";

/** What PyTorch says of a tensor in a checkpoint. */
export interface TensorDescription extends TensorContent {
  readonly path: readonly (string | number)[];
  readonly strides: readonly number[];
  readonly offset: number;
  /** Tensors of one number share memory. */
  readonly storage: number;
  readonly storageBytes: number;
  readonly requiresGrad: boolean;
  readonly isParameter: boolean;
}

/** Files that are written again, by PyTorch's own account of them. */
export const NAMES = ["state_dict", "views", "dtypes", "optimizer", "stage1", "values"];

export const EXPECTED: Readonly<Record<string, readonly TensorDescription[]>> = JSON.parse(
  Deno.readTextFileSync(formatFixture("torch/expected.json")),
);

export function torchFixture(name: string): string {
  return formatFixture(`torch/${name}.pt`);
}

/** A tensor as PyTorch describes it, for `deepEqual`. */
export function describe(checkpoint: TorchCheckpoint): TensorDescription[] {
  const storages = new Map<unknown, number>();
  return checkpoint.tensors().map(([path, tensor]) => {
    const number = storages.get(tensor.storage) ?? storages.size;
    storages.set(tensor.storage, number);
    return {
      path,
      dtype: tensor.dtype,
      shape: tensor.shape,
      strides: tensor.strides,
      offset: tensor.offset,
      storage: number,
      storageBytes: tensor.storage.bytes,
      requiresGrad: tensor.requiresGrad,
      isParameter: tensor.isParameter,
      bytes: content(tensor.read()).bytes,
    };
  });
}

/** A value of a checkpoint by its keys. */
export function at(value: TorchValue, ...keys: readonly unknown[]): TorchValue {
  return keys.reduce<TorchValue>(
    (value, key) => (value as Map<unknown, TorchValue>).get(key)!,
    value,
  );
}

/** A value with each tensor's description in its place. */
export function plain(value: TorchValue): unknown {
  if (value instanceof TorchTensor) {
    const { strides, offset, isParameter, requiresGrad } = value;
    return { ...content(value.read()), strides, offset, isParameter, requiresGrad };
  }
  if (value instanceof Map) {
    const entries = new Map([...value].map(([key, child]) => [key, plain(child)]));
    return {
      kind: value.constructor.name,
      entries,
      attributes: (value as { attributes?: unknown }).attributes,
    };
  }
  if (Array.isArray(value)) return value.map((item) => plain(item as TorchObject));
  return value;
}
