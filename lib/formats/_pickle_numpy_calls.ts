import { encodeElements } from "./_npy_encode.ts";
import { PickleCall } from "./_pickle_call.ts";
import type { PickleEncoderOptions } from "./_pickle_encoder.ts";
import { scalarElements } from "./_pickle_scalar.ts";
import type { NpyInput } from "./npy_types.ts";
import {
  isNumpyArray,
  NumpyDtype,
  NumpyScalar,
  PickleReference,
  PickleTuple,
} from "./pickle_values.ts";

/** The spellings of NumPy 1, which NumPy 2 reads without a warning. */
const RECONSTRUCT = new PickleReference("numpy.core.multiarray._reconstruct");
const SCALAR = new PickleReference("numpy.core.multiarray.scalar");
const NDARRAY = new PickleReference("numpy.ndarray");
const DTYPE = new PickleReference("numpy.dtype");

/** Python holds each bytes object of length 1 once. */
const TYPE_CODE = new Uint8Array([0x62]);

type Refuse = (found?: string) => never;

/** How NumPy's arrays, scalars and dtypes are written; one per pickle. */
export function numpyReducer(): PickleEncoderOptions["reduce"] {
  const dtypes = new Map<string, NumpyDtype>();
  /** One object per dtype, as in NumPy. */
  const dtypeOf = (descr: string) => {
    const known = dtypes.get(descr) ?? new NumpyDtype(descr);
    dtypes.set(descr, known);
    return known;
  };
  return (value, refuse) => {
    if (value instanceof NumpyScalar) return scalarCall(value, dtypeOf, refuse);
    if (value instanceof NumpyDtype) return dtypeCall(value, refuse);
    if (!ArrayBuffer.isView(value) && isNumpyArray(value)) {
      return arrayCall(value as NpyInput, dtypeOf, refuse);
    }
    return undefined;
  };
}

function arrayCall(
  array: NpyInput,
  dtypeOf: (descr: string) => NumpyDtype,
  refuse: Refuse,
): PickleCall {
  const { layout, shape, bytes } = encodeElements(array);
  if (layout.kind === "time" || layout.kind === "structured") return refuse();
  const dtype = dtypeOf(layout.descr.slice(1, -1));
  return new PickleCall(RECONSTRUCT, [NDARRAY, new PickleTuple([0]), TYPE_CODE], {
    state: new PickleTuple<unknown>([1, new PickleTuple(shape), dtype, false, bytes]),
  });
}

function scalarCall(
  scalar: NumpyScalar,
  dtypeOf: (descr: string) => NumpyDtype,
  refuse: Refuse,
): PickleCall {
  const elements = scalarElements(scalar) ??
    refuse(`${scalar.dtype} of ${String(scalar.value)}`);
  const { layout, bytes } = encodeElements(elements);
  return new PickleCall(SCALAR, [dtypeOf(layout.descr.slice(1, -1)), bytes]);
}

function dtypeCall(dtype: NumpyDtype, refuse: Refuse): PickleCall {
  const [, order = "", code, kind, width] = /^([<>|])(([biufcSU])(\d+))$/.exec(dtype.descr) ??
    refuse();
  // Size, alignment and flags are told of texts only.
  const text = kind === "U" ? [Number(width) * 4, 4, 8] : [Number(width), 1, 0];
  const sizes = kind === "U" || kind === "S" ? text : [-1, -1, 0];
  return new PickleCall(DTYPE, [code, false, true], {
    state: new PickleTuple([3, order, null, null, null, ...sizes]),
  });
}
