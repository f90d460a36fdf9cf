import type { StoredTensor } from "./tensor_types.ts";
import { TorchTensor } from "./torch_values.ts";

/** Views that repeat the elements of a smaller storage may pretend any size. */
const MOST_REPEATED_BYTES = 2 ** 30;

/**
 * Divides the rows of a tensor into blocks that are read one after another.
 *
 * @param key for messages
 * @param blockBytes of a block, if a row is not larger; default 4 MiB
 * @returns first row and the row after the last of each block; nothing for a tensor without elements
 * @throws {SyntaxError} when it is much larger than the memory that it views
 */
export function* rowBlocks(
  key: string,
  tensor: Pick<StoredTensor, "shape" | "bytes">,
  blockBytes = 4 << 20,
): Generator<[start: number, end: number]> {
  const { shape, bytes } = tensor;
  if (bytes === 0) return;
  if (
    tensor instanceof TorchTensor && bytes > Math.max(tensor.storage.bytes, MOST_REPEATED_BYTES)
  ) {
    throw new SyntaxError(
      `Cannot read ${key} of ${tensor.storage.path}: a tensor that repeats its elements should take ` +
        `at most ${MOST_REPEATED_BYTES} bytes, current value is ${bytes} from ` +
        `${tensor.storage.bytes}. Save it again from a contiguous tensor.`,
    );
  }
  const rows = shape[0] ?? 1;
  const step = Math.max(1, Math.floor(blockBytes / (bytes / rows)));
  for (let start = 0; start < rows; start += step) yield [start, Math.min(rows, start + step)];
}
