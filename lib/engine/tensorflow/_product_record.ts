/** Which tensors of a graph are products of two others. */
import type { Attribute } from "./_attributes.ts";
import type { TensorMetadata, TensorValues } from "./_tensors.ts";

type Pair = readonly [left: number, right: number];

/** Notes of one graph. */
export class Products {
  readonly #factors = new Map<number, readonly Pair[]>();

  /** Notes an op if its result is leftᵀ·right, or such products below each other. */
  note(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    [output]: readonly TensorMetadata[],
    valuesOf: (id: number) => TensorValues | undefined,
  ): void {
    const is = (attribute: string) => attributes.find((a) => a.name === attribute)?.value === true;
    if (name === "MatMul" && is("transpose_a") && !is("transpose_b")) {
      this.#factors.set(output!.id, [[inputs[0]!, inputs[1]!]]);
    } else if (name === "ConcatV2" && valuesOf(inputs.at(-1)!)?.[0] === 0) {
      const parts = inputs.slice(0, -1).map((id) => this.#factors.get(id));
      if (parts.every((part) => part !== undefined)) this.#factors.set(output!.id, parts.flat());
    }
  }

  /** Ids of the factors of a tensor, from the top of it to the bottom; undefined if it is no product. */
  factors(id: number): readonly Pair[] | undefined {
    return this.#factors.get(id);
  }
}
