import {
  isNumpyArray,
  NumpyScalar,
  PickleFloat,
  pickleTypeName,
  type PickleValue,
} from "./pickle_values.ts";

/** The keys of a `dict` in a pickle; each is read as what it should be, or named in an error. */
export class PickleFields {
  readonly #path: string;
  readonly #dict: ReadonlyMap<PickleValue, PickleValue>;
  /** The keys on the way to the dict, each followed by a dot. */
  readonly #prefix: string;
  readonly #read = new Set<PickleValue>();

  constructor(path: string, value: PickleValue, name = "") {
    this.#path = path;
    this.#prefix = name === "" ? "" : `${name}.`;
    this.#dict = value instanceof Map ? value : this.#fail(name || "its value", "a dict", value);
  }

  fields(key: string): PickleFields {
    return new PickleFields(this.#path, this.#get(key), this.#prefix + key);
  }

  isNone(key: string): boolean {
    return this.#get(key) === null;
  }

  text(key: string): string {
    const value = plain(this.#get(key));
    return typeof value === "string" ? value : this.#wrong(key, "a str", value);
  }

  number(key: string): number {
    const value = plain(this.#get(key));
    return typeof value === "number" ? value : this.#wrong(key, "a number", value);
  }

  count(key: string): number {
    const value = plain(this.#get(key));
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    return this.#wrong(key, "a whole number from 0", value);
  }

  boolean(key: string): boolean {
    const value = plain(this.#get(key));
    return typeof value === "boolean" ? value : this.#wrong(key, "a bool", value);
  }

  texts(key: string): readonly string[] {
    const list = this.#get(key);
    if (!Array.isArray(list)) return this.#wrong(key, "a list of str", list);
    return list.map((item, i) => {
      const value = plain(item);
      return typeof value === "string" ? value : this.#wrong(`${key}[${i}]`, "a str", value);
    });
  }

  /** The data of a float32 array of a row per action; of one column, also without that axis. */
  rows(key: string, columns: number, rows?: number): Float32Array<ArrayBuffer> {
    const array = this.#get(key);
    const should = `a float32 array (${rows ?? "N"}, ${columns})`;
    if (!isNumpyArray(array)) return this.#wrong(key, should, array);
    const [length, width = columns === 1 ? 1 : undefined, ...more] = array.shape;
    const fits = array.dtype === "float32" && width === columns && more.length === 0 &&
      (rows === undefined || rows === length);
    return fits ? array.data as Float32Array<ArrayBuffer> : this.#wrong(key, should, array);
  }

  /** All keys, which must be texts. */
  keys(): readonly string[] {
    return [...this.#dict.keys()].map((key) => {
      return typeof key === "string"
        ? key
        : this.#fail(`a key of ${this.#prefix.slice(0, -1) || "its value"}`, "a str", key);
    });
  }

  /** What was not read. */
  rest(): ReadonlyMap<string, PickleValue> {
    const left = this.keys().filter((key) => !this.#read.has(key));
    return new Map(left.map((key) => [key, this.#dict.get(key)!]));
  }

  /** Ends the reading because values do not agree. */
  disagree(key: string, should: string, found: unknown): never {
    return this.#fail(this.#prefix + key, should, found);
  }

  #get(key: string): PickleValue {
    this.#read.add(key);
    const value = this.#dict.get(key);
    return value === undefined ? this.#fail(this.#prefix + key, "there", undefined) : value;
  }

  #wrong(key: string, should: string, value: PickleValue): never {
    return this.#fail(this.#prefix + key, should, value);
  }

  #fail(name: string, should: string, value: unknown): never {
    const isPlain = typeof value === "string" || typeof value === "number" ||
      typeof value === "boolean";
    const found = value === undefined
      ? "missing"
      : isPlain
      ? JSON.stringify(value).slice(0, 100)
      : pickleTypeName(value);
    throw new SyntaxError(
      `Cannot read ${this.#path}: ${name} should be ${should}, current value is ${found}. ` +
        "Write the file again from its recording.",
    );
  }
}

/** The value of a tagged float or of a NumPy scalar. */
function plain(value: PickleValue): PickleValue {
  if (value instanceof PickleFloat) return value.value;
  if (value instanceof NumpyScalar && !Array.isArray(value.value)) {
    return value.value as PickleValue;
  }
  return value;
}
