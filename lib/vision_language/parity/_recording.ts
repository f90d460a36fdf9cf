import { join } from "node:path";
import { openSafetensors, type SafetensorsReader } from "../../formats/safetensors.ts";
import { isFile } from "../../formats/_path.ts";

/** Numbers of a recorded tensor. */
export interface Recorded {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** A file of recorded tensors. */
export class Recording implements Disposable {
  readonly #file: SafetensorsReader;

  /** @param path of a safetensors file */
  constructor(path: string) {
    this.#file = openSafetensors(path);
  }

  get names(): readonly string[] {
    return this.#file.names;
  }

  has(name: string): boolean {
    return this.#file.names.includes(name);
  }

  shape(name: string): readonly number[] {
    return this.#file.tensor(name).shape;
  }

  /** Values of a tensor; int64 as numbers. */
  read(name: string): Recorded {
    const { shape, data } = this.#file.read(name);
    const numbers = data instanceof BigInt64Array ? Float64Array.from(data, Number) : data;
    return { shape, data: numbers as ArrayLike<number> };
  }

  float32(name: string): Float32Array<ArrayBuffer> {
    return this.#file.read(name, { dtype: "float32" }).data;
  }

  bytes(name: string): Uint8Array<ArrayBuffer> {
    return this.#file.read(name, { dtype: "uint8" }).data;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** A JSON file of a recording; undefined when there is none. */
export function readDocument(folder: string, ...names: string[]): unknown {
  const path = join(folder, ...names);
  if (!isFile(path)) return undefined;
  try {
    return JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    throw new SyntaxError(`Cannot read ${path}: ${(error as Error).message}. Record it again.`);
  }
}
