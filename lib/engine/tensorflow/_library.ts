/** Opens TensorFlow's shared libraries and owns the one status object every call reports to. */
import { keepLoaded } from "./_environment.ts";
import { API_SYMBOLS, FRAMEWORK_SYMBOLS } from "./_symbols.ts";

type Framework = Deno.DynamicLibrary<typeof FRAMEWORK_SYMBOLS>["symbols"];
type Api = Deno.DynamicLibrary<typeof API_SYMBOLS>["symbols"];

/** A C pointer. */
export type Pointer = Deno.PointerValue;

/** TensorFlow's C API, opened. */
export interface Library {
  /** Every function of the C API that trocar calls. */
  readonly api: Framework & Api;
  /** The status object shared by all calls; valid until the next call that takes it. */
  readonly status: Pointer;
  /** TensorFlow's version, such as `2.21.0`. */
  readonly version: string;
}

/** An error that TensorFlow reported. */
export class TensorFlowError extends Error {
  /** The `TF_Code`, for example 3 for an invalid argument and 8 for resource exhausted. */
  readonly code: number;

  /**
   * @param message What TensorFlow said, with the op and its input shapes in front.
   * @param code The `TF_Code`.
   * @param options The cause, if this puts another error in other words.
   */
  constructor(message: string, code: number, options?: ErrorOptions) {
    super(message, options);
    this.name = "TensorFlowError";
    this.code = code;
  }
}

/**
 * Opens the two libraries.
 *
 * @param paths Full paths of `libtensorflow_framework` and `libtensorflow_cc`.
 * @throws {Error} If one cannot be opened (missing symbol, too old a C library, wrong machine).
 */
export function openLibrary(paths: { readonly framework: string; readonly cc: string }): Library {
  // The framework must come first: the other library finds it by name among those already open.
  const framework = Deno.dlopen(paths.framework, FRAMEWORK_SYMBOLS).symbols;
  keepLoaded(paths.framework);
  const api = Deno.dlopen(paths.cc, API_SYMBOLS).symbols;
  keepLoaded(paths.cc);
  return {
    api: { ...framework, ...api },
    status: framework.TF_NewStatus(),
    version: readCString(api.TF_Version()),
  };
}

/** The text at a C string pointer; empty for a null pointer. */
export function readCString(pointer: Pointer): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/**
 * Throws what the last call reported, if it failed.
 *
 * @param library The library whose status is read.
 * @param context Put in front of TensorFlow's message: what was attempted, on what.
 * @throws {TensorFlowError} If the status is not OK.
 */
export function check(library: Library, context: string | (() => string)): void {
  const code = library.api.TF_GetCode(library.status);
  if (code === 0) return;
  const message = readCString(library.api.TF_Message(library.status));
  throw new TensorFlowError(
    `${typeof context === "string" ? context : context()}: ${message}`,
    code,
  );
}

const encoder = new TextEncoder();
const cStrings = new Map<string, Uint8Array<ArrayBuffer>>();

/** A NUL-terminated copy of a name, made once per name. For op and attribute names, not for data. */
export function cString(name: string): Uint8Array<ArrayBuffer> {
  let bytes = cStrings.get(name);
  if (bytes === undefined) {
    bytes = encoder.encode(name + "\0");
    cStrings.set(name, bytes);
  }
  return bytes;
}

/** A NUL-terminated copy of a string that is used once. */
export function cStringOnce(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text + "\0");
}

/** The address of a buffer's first byte; the caller keeps the buffer alive during the call. */
export function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}

/** Dimensions as the `int64_t` array the C API reads. */
export function dimsArray(shape: readonly number[]): BigInt64Array<ArrayBuffer> {
  const dims = new BigInt64Array(Math.max(shape.length, 1));
  for (let i = 0; i < shape.length; i++) dims[i] = BigInt(shape[i]!);
  return dims;
}
