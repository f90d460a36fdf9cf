/** Computes the expensive ops of a graph in bfloat16, from float32 to float32. */
import { ATTR, type Attribute } from "./_attributes.ts";
import { DT } from "./_dtypes.ts";
import type { TensorMetadata } from "./_tensors.ts";

/** The graph that ops are added to. */
interface Graph {
  add(name: string, attributes: readonly Attribute[], inputs: readonly number[]): TensorMetadata[];
  metadata(id: number): { readonly dtype: number };
}

/** Matrix products and convolutions, which bfloat16 speeds up and float32 accumulation keeps exact. */
const AUTOCAST = new Set([
  "BatchMatMulV2",
  "Conv2D",
  "Conv2DBackpropFilter",
  "Conv2DBackpropInput",
  "Conv3D",
  "Conv3DBackpropFilterV2",
  "Conv3DBackpropInputV2",
  "Einsum",
  "MatMul",
]);

/** Adds casts around the ops of one graph; each tensor is narrowed once. */
export class Autocast {
  readonly #graph: Graph;
  readonly #narrow = new Map<number, number>();

  /** @param graph The graph. */
  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Adds the op in bfloat16 if that is worth it; undefined if it is not. */
  execute(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
  ): TensorMetadata[] | undefined {
    const isFloat = (a: Attribute) => a.name === "T" && a.value === DT.float32;
    if (!AUTOCAST.has(name) || !attributes.some(isFloat)) return undefined;
    const narrowed = attributes.map((a) => isFloat(a) ? { ...a, value: DT.bfloat16 } : a);
    return this.#graph.add(name, narrowed, inputs.map((id) => this.#narrowed(id)))
      .map((output) => this.#cast(output.id, DT.bfloat16, DT.float32));
  }

  #narrowed(id: number): number {
    if (this.#graph.metadata(id).dtype !== DT.float32) return id;
    let narrow = this.#narrow.get(id);
    if (narrow === undefined) {
      narrow = this.#cast(id, DT.float32, DT.bfloat16).id;
      this.#narrow.set(id, narrow);
    }
    return narrow;
  }

  #cast(id: number, from: number, to: number): TensorMetadata {
    return this.#graph.add("Cast", [
      { name: "SrcT", type: ATTR.type, value: from },
      { name: "DstT", type: ATTR.type, value: to },
      { name: "Truncate", type: ATTR.bool, value: false },
    ], [id])[0]!;
  }
}
