/** What tracing makes, and what it must be told. */
import type { Pointer } from "./_library.ts";
import type { TensorMetadata } from "./_tensors.ts";

/** A traced function, registered with TensorFlow. */
export interface TracedFunction {
  /** The op name that calls it. */
  readonly name: string;
  /** Ids of the tensors it takes after its declared inputs, as the enclosing level knows them. */
  readonly captures: readonly number[];
  /** Shape and dtype of each output. */
  readonly outputs: readonly TensorMetadata[];
  /** Nodes of the graph. */
  readonly nodes: number;
  /** The `TF_Function`. */
  readonly handle: Pointer;
  /** Traced functions that it calls. */
  readonly callees: readonly TracedFunction[];
}

/** How ops are traced. */
export interface GraphOptions {
  /** Whether XLA will compile the whole graph, so that nothing in it needs to be its own program. */
  readonly xla: boolean;
  /** Whether matrix products and convolutions are computed in bfloat16. */
  readonly autocast: boolean;
}

/** What a graph must be told about the tensors outside of it. */
export interface Enclosing {
  /** Shape and dtype of an id of the enclosing level; for a resource, of the variable's value. */
  metadata(id: number): { shape: number[]; dtype: number };
  /** Shape and dtype of the value of a variable, by the id of its resource. */
  variable(id: number): { shape: readonly number[]; dtype: number } | undefined;
}
