/** The thread of `SensorReader`: reads rows of `.npy` files into buffers that it is sent. */
import { SENSOR_DIM } from "../../datasets/window.ts";
import { type NpyReader, openNpy } from "../../formats/npy_reader.ts";

/** What the thread is sent. */
export interface ReadRequest {
  readonly id: number;
  /** Files that are numbered from now on, in the order of their numbers. */
  readonly newFiles: readonly string[];
  /** `(reads, 5)` file, first row, offset and length in values, row of the batch. */
  readonly columns: Float64Array;
  readonly buffer: ArrayBuffer;
}

/** What it answers. */
export interface ReadReply {
  readonly id: number;
  readonly buffer: ArrayBuffer;
  readonly failure?: { readonly row: number; readonly name: string; readonly message: string };
}

/** Descriptors are few; the files of a batch are not. */
const MAX_OPEN = 128;

const scope = self as unknown as {
  onmessage: (event: MessageEvent<ReadRequest>) => void;
  postMessage(reply: ReadReply, transfer: Transferable[]): void;
};
const files: string[] = [];
const open = new Map<string, NpyReader<"float32">>();

scope.onmessage = ({ data: { id, newFiles, columns, buffer } }) => {
  files.push(...newFiles);
  let row = 0;
  try {
    const values = new Float32Array(buffer);
    for (let i = 0; i < columns.length; i += 5) {
      const [file, start, offset, length] = columns.subarray(i, i + 4);
      row = columns[i + 4]!;
      reader(files[file!]!).readRowsInto(start!, values.subarray(offset!, offset! + length!));
    }
    scope.postMessage({ id, buffer }, [buffer]);
  } catch (error) {
    const { name, message } = error as Error;
    scope.postMessage({ id, buffer, failure: { row, name, message } }, [buffer]);
  }
};

/** The open file, of which the one that was used longest ago makes room. */
function reader(path: string): NpyReader<"float32"> {
  const found = open.get(path) ?? openNpy(path, { dtype: "float32", shape: [null, SENSOR_DIM] });
  open.delete(path);
  open.set(path, found);
  if (open.size > MAX_OPEN) {
    const [oldest, unused] = open.entries().next().value!;
    unused.close();
    open.delete(oldest);
  }
  return found;
}
