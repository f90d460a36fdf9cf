/** The native engine for tests that are about it, started once; without TensorFlow they are ignored. */
import { findTensorFlow, startEngine } from "trocar/engine";
import type { Attribute, AttributeValue } from "../../lib/engine/tensorflow/_attributes.ts";
import type { TensorFlowBackend } from "../../lib/engine/tensorflow/_backend.ts";
import type { TensorFlowBinding } from "../../lib/engine/tensorflow/_binding.ts";
import { startedBackend } from "../../lib/engine/tensorflow/_active.ts";

/** Whether TensorFlow's libraries are on this machine. Tests never fetch them. */
export const hasNative: boolean = await findTensorFlow() !== undefined;

/**
 * Declares a test that needs the native engine; without TensorFlow it is ignored and says why.
 *
 * @param name The test's name.
 * @param test Called with the engine.
 */
export function nativeTest(
  name: string,
  test: (native: TensorFlowBackend, binding: TensorFlowBinding) => void | Promise<void>,
): void {
  Deno.test({
    name: hasNative ? name : `${name} (TensorFlow is missing: deno task setup)`,
    ignore: !hasNative,
    fn: async () => {
      await startEngine({ engine: "tensorflow", install: false, quiet: true });
      const native = startedBackend()!;
      await test(native, native.binding);
    },
  });
}

/** An attribute as a tuple. */
export type AttributeTuple = readonly [name: string, type: number, value: AttributeValue];

/** Attributes from tuples. */
export function attributes(...list: readonly AttributeTuple[]): Attribute[] {
  return list.map(([name, type, value]) => ({ name, type, value }));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** UTF-8 bytes of each text. */
export function bytes(...texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => encoder.encode(text));
}

/** The values of a tensor, deleted once they are read; strings as text. */
export function take(binding: TensorFlowBinding, id: number): (number | bigint | string)[] {
  const values = binding.tensorDataSync(id);
  binding.deleteTensor(id);
  return Array.isArray(values)
    ? values.map((value) => decoder.decode(value))
    : Array.from(values as ArrayLike<number | bigint>);
}

/**
 * Handles that a body leaves behind.
 *
 * @param binding The binding whose handles are counted.
 * @param body What may make handles as long as it deletes them.
 * @returns How many handles more there are than before.
 */
export function handlesLeft(binding: TensorFlowBinding, body: () => void): number {
  const before = binding.getNumOfTensors();
  body();
  return binding.getNumOfTensors() - before;
}

/** Resident memory of this process in MB. */
export function residentMegabytes(): number {
  return Deno.memoryUsage().rss / 1e6;
}
