/** How the numbers of random models are made. */
import { fill } from "../benchmarks/fill.ts";
import { checkRows, checkTarget, TENSOR_DTYPES } from "../formats/_tensor_dtype.ts";
import { narrowToBfloat16, widenBfloat16 } from "../formats/bfloat16.ts";
import type { StoredTensor } from "../formats/tensor_types.ts";
import type { VisionLanguageConfig } from "./config.ts";
import { modelTensors } from "./tensor_names.ts";

/** How the numbers of a tensor are taken from the block that all tensors share. */
export interface RandomTensor {
  /** Its published name. */
  readonly name: string;
  /** Its length along each axis. */
  readonly shape: readonly number[];
  /** The element of the block that it begins with; it goes round. */
  readonly offset: number;
  /** Its numbers are the block's times 2^−exponent. */
  readonly exponent: number;
  /** Added to them. */
  readonly centre: 0 | 1;
}

/** Numbers that tensors share: a prime, so that no two rows of a matrix are alike. */
export const RANDOM_BLOCK = 1048573;

const STRIDE = 104729, NORM_EXPONENT = 3, BIAS_EXPONENT = 6;

/**
 * How every tensor of a random model is made. Matrices keep the size of what they multiply, norms are
 * near 1, biases small.
 */
export function randomTensors(config: VisionLanguageConfig): RandomTensor[] {
  return [...modelTensors(config)].map(([name, shape], i) => {
    const inputs = shape.slice(1).reduce((product, side) => product * side, 1);
    const isNorm = shape.length === 1 && !name.endsWith(".bias");
    const exponent = isNorm
      ? NORM_EXPONENT
      : shape.length === 1
      ? BIAS_EXPONENT
      : name === "model.embed_tokens.weight"
      ? 0
      : Math.ceil(Math.log2(Math.sqrt(inputs / 3))); // uniform numbers have a variance of 1/3
    return { name, shape, offset: i * STRIDE % RANDOM_BLOCK, exponent, centre: isNorm ? 1 : 0 };
  });
}

/** The bits of the shared numbers, as often as they are needed in another size. */
export class RandomBlock {
  readonly #values: Float32Array<ArrayBuffer>;
  readonly #bits = new Map<string, Uint16Array<ArrayBuffer>>();

  constructor(seed: number) {
    const values = new Float32Array(fill(seed, RANDOM_BLOCK, 1));
    this.#values = widenBfloat16(narrowToBfloat16(values), values);
  }

  bits({ exponent, centre }: RandomTensor): Uint16Array<ArrayBuffer> {
    const key = `${exponent} ${centre}`, scale = 2 ** -exponent;
    let bits = this.#bits.get(key);
    if (bits === undefined) {
      bits = narrowToBfloat16(this.#values.map((value) => centre + value * scale));
      this.#bits.set(key, bits);
    }
    return bits;
  }
}

/** A tensor that is made while it is read. */
export function randomTensor(
  path: string,
  tensor: RandomTensor,
  block: RandomBlock,
): StoredTensor<"bfloat16"> {
  const { name, shape, offset } = tensor, layout = TENSOR_DTYPES.bfloat16;
  const elements = shape.reduce((product, side) => product * side, 1);
  const rows = shape[0]!, width = elements / rows, bytes = 2 * elements;
  const write = (target: Uint16Array<ArrayBuffer>, first: number) => {
    const bits = block.bits(tensor);
    let from = (offset + first) % RANDOM_BLOCK;
    for (let at = 0; at < target.length;) {
      const part = bits.subarray(from, from + target.length - at);
      target.set(part, at);
      at += part.length;
      from = 0;
    }
    return target;
  };
  const readRows = (start: number, end: number) => {
    checkRows(path, name, rows, start, end);
    return write(new Uint16Array((end - start) * width), start * width);
  };
  return {
    dtype: "bfloat16",
    shape,
    bytes,
    read: () => ({ dtype: "bfloat16", shape, data: readRows(0, rows) }),
    readInto: (target) => {
      checkTarget(path, name, layout, bytes, target);
      write(new Uint16Array(target.buffer, target.byteOffset, elements), 0);
    },
    readRows,
  };
}
