/** Access to the fields of a JSON document with errors that name the place. */

/** A tensor as a fixture holds it. */
export interface FixtureTensor {
  /** Sizes of its axes. */
  readonly shape: readonly number[];
  /** Its values, row by row. */
  readonly data: Float32Array;
}

/** A JSON object of a fixture, and where it is. */
export class FixtureRecord {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #where: string;

  /** @throws {SyntaxError} If the value is no object. */
  constructor(value: unknown, where: string) {
    if (value === null || typeof value !== "object" || Array.isArray(value)) {
      throw wrong(where, "an object", value);
    }
    this.#value = value as Record<string, unknown>;
    this.#where = where;
  }

  keys(): string[] {
    return Object.keys(this.#value);
  }

  has(key: string): boolean {
    return key in this.#value;
  }

  record(key: string): FixtureRecord {
    return new FixtureRecord(this.#value[key], this.#at(key));
  }

  number(key: string): number {
    const value = this.#value[key];
    if (typeof value !== "number") throw wrong(this.#at(key), "a number", value);
    return value;
  }

  text(key: string): string {
    const value = this.#value[key];
    if (typeof value !== "string") throw wrong(this.#at(key), "a text", value);
    return value;
  }

  list<T extends number | boolean>(key: string, type: "number" | "boolean"): T[] {
    const value = this.#value[key];
    if (!Array.isArray(value) || value.some((item) => typeof item !== type)) {
      throw wrong(this.#at(key), `a list of ${type}s`, value);
    }
    return value;
  }

  tensor(key: string): FixtureTensor {
    const record = this.record(key);
    const shape = record.list<number>("shape", "number");
    const data = record.list<number>("data", "number");
    const count = shape.reduce((product, size) => product * size, 1);
    if (shape.some((size) => !Number.isInteger(size) || size < 0) || count !== data.length) {
      throw wrong(this.#at(key), `${count} numbers of shape [${shape}]`, data.length);
    }
    return { shape, data: Float32Array.from(data) };
  }

  tensors(key: string): Map<string, FixtureTensor> {
    const record = this.record(key);
    return new Map(record.keys().map((name) => [name, record.tensor(name)]));
  }

  #at(key: string): string {
    return `${this.#where}.${key}`;
  }
}

function wrong(where: string, expected: string, value: unknown): SyntaxError {
  const found = JSON.stringify(value)?.slice(0, 60) ?? "undefined";
  return new SyntaxError(
    `Cannot read parity fixture: ${where} must be ${expected}, current value is ${found}`,
  );
}
