import { type DtypeLayout, DTYPES, elementCount } from "./_dtype.ts";
import type { TensorDtype, TensorExpect, TensorInput } from "./tensor_types.ts";

/** How the elements of a tensor's dtype lie in memory. */
export type TensorLayout = Omit<DtypeLayout, "name" | "code"> & { readonly name: TensorDtype };

const { uint8, uint16 } = DTYPES;

/** Layout of every dtype that a tensor may have, by PyTorch's name. */
export const TENSOR_DTYPES: { readonly [D in TensorDtype]: TensorLayout } = {
  ...DTYPES,
  bfloat16: { ...uint16, name: "bfloat16" },
  float8_e4m3fn: { ...uint8, name: "float8_e4m3fn" },
  float8_e5m2: { ...uint8, name: "float8_e5m2" },
  float8_e8m0fnu: { ...uint8, name: "float8_e8m0fnu" },
};

/** The layout of a dtype; undefined when no tensor has it. */
export function tensorLayout(name: string): TensorLayout | undefined {
  return Object.hasOwn(TENSOR_DTYPES, name) ? TENSOR_DTYPES[name as TensorDtype] : undefined;
}

/** Python's form of a shape. */
export function shapeText(shape: readonly unknown[]): string {
  return `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
}

/** What a tensor to be written should be and is not; undefined when it can be written. */
export function inputProblem(
  input: TensorInput,
): { readonly should: string; readonly found: string } | undefined {
  const { dtype, shape } = input, layout = tensorLayout(dtype);
  if (layout === undefined) return { should: "have a known dtype", found: dtype };
  const count = elementCount(shape);
  if (Number.isNaN(count)) return { should: "have sizes from 0 as shape", found: shapeText(shape) };
  if (!("data" in input)) return undefined;
  const { data } = input, length = count * layout.words;
  if (layout.holds(data) && data.length === length) return undefined;
  return {
    should: `hold ${length} numbers of the class of ${dtype}, for ${shapeText(shape)}`,
    found: `${data.constructor.name} of ${data.length}`,
  };
}

/** Layout and bytes of a tensor to be written, once it is known to be right. */
export function checkInput(path: string, name: string, input: TensorInput) {
  const problem = inputProblem(input);
  if (problem !== undefined) {
    throw new TypeError(
      `Cannot write ${path}: ${name} should ${problem.should}, current value is ${problem.found}.`,
    );
  }
  const layout = TENSOR_DTYPES[input.dtype];
  return { layout, bytes: elementCount(input.shape) * layout.bytes };
}

/** The elements of a tensor to be written; read now if they lie in a file. */
export function inputBytes(
  path: string,
  name: string,
  input: TensorInput,
): Uint8Array<ArrayBuffer> {
  const array = "data" in input ? input : input.read();
  if (!("data" in input)) {
    const { dtype, shape } = array;
    if (dtype !== input.dtype || shapeText(shape) !== shapeText(input.shape)) {
      throw new TypeError(
        `Cannot write ${path}: reading ${name} should give ${input.dtype} ` +
          `${shapeText(input.shape)}, current value is ${dtype} ${shapeText(shape)}.`,
      );
    }
    checkInput(path, name, array);
  }
  const { buffer, byteOffset, byteLength } = array.data;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Ends the reading of a tensor that is not what the caller needs. */
export function checkTensor(
  path: string,
  name: string,
  { dtype, shape }: { readonly dtype: TensorDtype; readonly shape: readonly number[] },
  expect: TensorExpect,
): void {
  const wrong = (what: string, should: string, found: string) => {
    throw new SyntaxError(
      `Cannot read ${path}: the ${what} of ${name} should be ${should}, current value is ${found}.`,
    );
  };
  if (expect.dtype !== undefined && expect.dtype !== dtype) wrong("dtype", expect.dtype, dtype);
  const sizes = expect.shape;
  if (sizes === undefined) return;
  if (
    sizes.length !== shape.length || sizes.some((size, i) => size !== null && size !== shape[i])
  ) {
    wrong("shape", shapeText(sizes.map((size) => size ?? "any")), shapeText(shape));
  }
}

/** Ends a read into memory that does not fit. */
export function checkTarget(
  path: string,
  name: string,
  layout: TensorLayout,
  bytes: number,
  target: ArrayBufferView,
): void {
  const holds = target instanceof Uint8Array || layout.holds(target);
  if (holds && target.byteLength === bytes) return;
  throw new TypeError(
    `Cannot read ${name} of ${path} into the target: it should hold ${bytes} bytes of ` +
      `${layout.name}, current value is a ${target.constructor.name} of ${target.byteLength}.`,
  );
}

/** Ends a read of rows that are not there. */
export function checkRows(path: string, name: string, rows: number, start: number, end: number) {
  const isWhole = Number.isInteger(start) && Number.isInteger(end);
  if (isWhole && start >= 0 && start <= end && end <= rows) return;
  throw new RangeError(
    `Cannot read rows of ${name} in ${path}: rows 0 to ${rows} can be read, current value is ` +
      `${start} to ${end}.`,
  );
}
