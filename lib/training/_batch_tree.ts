import type { tf } from "../engine/mod.ts";
import type { PolicyBatch } from "../policies/mod.ts";

/** Makes of an interface a type that compiled functions take: interfaces have no index signature. */
export type AsTree<T> = T extends tf.Tensor | number | undefined ? T
  : { readonly [K in keyof T]: AsTree<T[K]> };

/** A batch as an argument of a compiled function. */
export type BatchTree = AsTree<PolicyBatch>;
