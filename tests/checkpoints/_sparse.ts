import { type TensorArray, TorchTensor } from "../../lib/formats/mod.ts";
import { checkpointWriter } from "../../lib/formats/torch_checkpoint_writer.ts";

const ZEROS = new Uint8Array(1 << 26);

/** A file in which zeros take no room on the disk. */
function sparse(file: Deno.FsFile): Pick<Deno.FsFile, "writeSync" | "seekSync"> {
  return {
    writeSync(bytes) {
      if (bytes.buffer !== ZEROS.buffer) return file.writeSync(bytes);
      file.seekSync(bytes.length, Deno.SeekMode.Current);
      return bytes.length;
    },
    seekSync: (offset, whence) => file.seekSync(offset, whence),
  };
}

/** A float32 tensor of zeros that is in no memory. */
export function zeros(name: string, shape: readonly number[]): TorchTensor {
  const bytes = 4 * shape.reduce((product, size) => product * size, 1);
  return new TorchTensor({
    path: "zeros",
    key: name,
    dtype: "float32",
    bytes,
    location: "cpu",
    readInto: () => {},
    *pieces() {
      for (let done = 0; done < bytes; done += ZEROS.length) {
        yield ZEROS.subarray(0, Math.min(ZEROS.length, bytes - done));
      }
    },
  }, {
    dtype: "float32",
    shape,
    strides: shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1)),
    offset: 0,
    requiresGrad: false,
    isParameter: false,
  });
}

/** A `.pt` file with a model's state, whose zeros take no room on the disk. */
export function writeSparseTorch(
  path: string,
  state: Readonly<Record<string, TorchTensor | TensorArray>>,
): void {
  using file = Deno.openSync(path, { create: true, write: true, truncate: true });
  checkpointWriter(path, { epoch: 4, model_state_dict: state })(sparse(file) as Deno.FsFile);
}

/** A safetensors file of zeros that takes no room on the disk. */
export function writeSparseTensors(
  path: string,
  tensors: readonly {
    readonly key: string;
    readonly shape: readonly number[];
    readonly dtype: string;
  }[],
): void {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const { key, shape, dtype } of tensors) {
    const wide = dtype === "int64";
    const bytes = (wide ? 8 : 4) * shape.reduce((product, size) => product * size, 1);
    header[key] = { dtype: wide ? "I64" : "F32", shape, data_offsets: [at, at += bytes] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer);
  Deno.writeFileSync(path, length);
  Deno.writeFileSync(path, json, { append: true });
  Deno.truncateSync(path, 8 + json.length + at);
}
