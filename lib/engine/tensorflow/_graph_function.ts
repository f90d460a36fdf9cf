/** Turns a graph into a function that TensorFlow can call. */
import { check, cStringOnce, type Library, type Pointer } from "./_library.ts";
import { outputRefs, type Symbolic } from "./_symbolic.ts";

/** The ends of a function's graph. */
export interface GraphEnds {
  /** Placeholders of the arguments. */
  readonly parameters: readonly Symbolic[];
  readonly returns: readonly Symbolic[];
  /** Ops that run although nothing of them is returned. */
  readonly control: readonly Pointer[];
}

/**
 * Makes a function of a graph.
 *
 * @param library The open library.
 * @param graph The graph.
 * @param name The function's name; must be new.
 * @param ends What goes in and comes out.
 * @returns The `TF_Function`.
 * @throws {TensorFlowError} If TensorFlow finds the graph wrong.
 */
export function graphFunction(
  library: Library,
  graph: Pointer,
  name: string,
  { parameters, returns, control }: GraphEnds,
): Pointer {
  const ops = BigUint64Array.from(control, (op) => BigInt(Deno.UnsafePointer.value(op)));
  const handle = library.api.TF_GraphToFunctionWithControlOutputs(
    ...[graph, cStringOnce(name), 0, -1, null] as const,
    ...[parameters.length, outputRefs(parameters)] as const,
    ...[returns.length, outputRefs(returns), null] as const,
    ...[ops.length, ops, null] as const,
    ...[null, null, library.status] as const,
  );
  check(library, `Cannot make function "${name}"`);
  return handle;
}
