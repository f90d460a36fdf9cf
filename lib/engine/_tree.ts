/** Nested arrays and records of tensors, taken apart and put together again. */
import * as tf from "@tensorflow/tfjs";

/** A tensor, a plain value, or an array or record of such. */
export type Tree =
  | tf.Tensor
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly Tree[]
  | { readonly [name: string]: Tree };

/** A tree with its tensors taken out. */
export interface FlatTree {
  readonly tensors: tf.Tensor[];
  /** The same for trees of the same form, plain values and tensor dtypes and shapes. */
  readonly signature: string;
  /** Puts tensors in the places of the old ones. */
  readonly rebuild: (tensors: readonly tf.Tensor[]) => Tree;
}

/**
 * Takes a tree apart.
 *
 * @param tree The tree.
 * @param what What it is, for the error.
 * @throws {TypeError} If it holds anything but tensors, plain values, arrays and records.
 */
export function flatten(tree: Tree, what: string): FlatTree {
  const tensors: tf.Tensor[] = [];
  const parts: string[] = [];
  const visit = (node: Tree, path: string): void => {
    if (node instanceof tf.Tensor) {
      tensors.push(node);
      parts.push(`${node.dtype}[${node.shape}]`);
    } else if (Array.isArray(node)) {
      parts.push("[");
      node.forEach((child, i) => visit(child, `${path}[${i}]`));
      parts.push("]");
    } else if (node !== null && typeof node === "object") {
      const prototype = Object.getPrototypeOf(node);
      if (prototype !== Object.prototype && prototype !== null) {
        throw new TypeError(
          `Cannot pass ${path}: tensors, plain values, arrays and records are accepted, current value is a ${node.constructor.name}`,
        );
      }
      parts.push("{");
      for (const [name, child] of Object.entries(node)) {
        parts.push(JSON.stringify(name));
        visit(child, `${path}.${name}`);
      }
      parts.push("}");
    } else if (["function", "symbol", "bigint"].includes(typeof node)) {
      throw new TypeError(
        `Cannot pass ${path}: tensors, plain values, arrays and records are accepted, current value is a ${typeof node}`,
      );
    } else {parts.push(
        typeof node === "string" ? JSON.stringify(node) : Object.is(node, -0) ? "-0" : String(node),
      );}
  };
  visit(tree, what);
  return {
    tensors,
    signature: parts.join(" "),
    rebuild: (replacements) => {
      let next = 0;
      const build = (node: Tree): Tree => {
        if (node instanceof tf.Tensor) return replacements[next++]!;
        if (Array.isArray(node)) return node.map(build);
        if (node !== null && typeof node === "object") {
          return Object.fromEntries(
            Object.entries(node).map(([name, child]) => [name, build(child as Tree)]),
          );
        }
        return node;
      };
      return build(tree);
    },
  };
}
