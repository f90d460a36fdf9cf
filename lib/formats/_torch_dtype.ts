import type { TensorDtype } from "./tensor_types.ts";

/** Storages that hold one dtype, by PyTorch's name. */
export const TYPED_STORAGES: Readonly<Record<string, TensorDtype>> = {
  "torch.DoubleStorage": "float64",
  "torch.FloatStorage": "float32",
  "torch.HalfStorage": "float16",
  "torch.BFloat16Storage": "bfloat16",
  "torch.LongStorage": "int64",
  "torch.IntStorage": "int32",
  "torch.ShortStorage": "int16",
  "torch.CharStorage": "int8",
  "torch.ByteStorage": "uint8",
  "torch.BoolStorage": "bool",
  "torch.ComplexFloatStorage": "complex64",
  "torch.ComplexDoubleStorage": "complex128",
};

/** The storage of the dtypes that came later; its size is counted in bytes. */
export const UNTYPED_STORAGE = "torch.storage.UntypedStorage";

/** dtypes by the names that checkpoints mention. */
export const TORCH_DTYPES: Readonly<Record<string, TensorDtype>> = Object.fromEntries(
  ([
    ...Object.values(TYPED_STORAGES),
    "uint16",
    "uint32",
    "uint64",
    "float8_e4m3fn",
    "float8_e5m2",
    "float8_e8m0fnu",
  ] as const).map((dtype) => [`torch.${dtype}`, dtype]),
);

/** The typed storage of a dtype; undefined for those that came later. */
export function typedStorageOf(dtype: TensorDtype): string | undefined {
  return Object.keys(TYPED_STORAGES).find((name) => TYPED_STORAGES[name] === dtype);
}
