import { constants, createInflateRaw } from "node:zlib";

/** Unpacks raw deflate data in pieces, synchronously, straight into the caller's memory. */
export interface Inflate extends Disposable {
  /**
   * Unpacks until either side is used up.
   *
   * @param last whether no more input follows; then an incomplete stream is an error
   * @returns bytes taken and bytes given
   * @throws {Error} when the data are damaged
   */
  step(
    input: Uint8Array,
    output: Uint8Array,
    last: boolean,
  ): { taken: number; given: number };
}

/**
 * The part of `node:zlib` beneath its streams, which npm's own `minizlib` stands on too. The public
 * functions are either asynchronous or unpack everything at once into memory of their own.
 */
interface ZlibStream {
  readonly _handle: {
    writeSync(
      flush: number,
      input: Uint8Array,
      inputOffset: number,
      inputLength: number,
      output: Uint8Array,
      outputOffset: number,
      outputLength: number,
    ): void;
    onerror: (message: string, errno: number, code: string) => void;
  } | null;
  readonly _writeState: Uint32Array;
  close(): void;
}

/** Bytes that one call moves at most. */
const STEP = 1 << 30;

/** Begins to unpack a raw deflate stream. */
export function createInflate(): Inflate {
  const stream = createInflateRaw() as unknown as ZlibStream;
  const handle = stream._handle, left = stream._writeState;
  if (typeof handle?.writeSync !== "function" || !(left instanceof Uint32Array)) {
    throw new Error(
      "Cannot unpack deflate data: node:zlib should have writeSync, current value is " +
        `Deno ${Deno.version.deno}. Use the version that this project was tested with.`,
    );
  }
  let problem: string | undefined;
  handle.onerror = (message) => problem = message;
  return {
    step(input, output, last) {
      const inputLength = Math.min(input.length, STEP);
      const outputLength = Math.min(output.length, STEP);
      const flush = last && inputLength === input.length && outputLength === output.length
        ? constants.Z_FINISH
        : constants.Z_NO_FLUSH;
      handle.writeSync(flush, input, 0, inputLength, output, 0, outputLength);
      if (problem !== undefined) throw new Error(problem);
      const [outputLeft, inputLeft] = left as unknown as [number, number];
      return { taken: inputLength - inputLeft, given: outputLength - outputLeft };
    },
    [Symbol.dispose]: () => stream.close(),
  };
}
