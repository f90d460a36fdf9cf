/** An object of a JSON file, whose members are checked as they are taken. */
export interface JsonRecord {
  /** Names of the members. */
  names(): string[];
  /** A finite number. */
  number(key: string): number;
  /** A string. */
  text(key: string): string;
  /** True or false. */
  boolean(key: string): boolean;
  /** One of the texts. */
  oneOf<const T extends string>(key: string, values: readonly T[]): T;
  /** An array of finite numbers; with a length, of so many. */
  numbers(key: string, length?: number): number[];
  /** An array of strings. */
  texts(key: string): string[];
  /** An array of objects. */
  list<T>(key: string, parse: (entry: JsonRecord) => T): T[];
  /** An object. */
  record(key: string): JsonRecord;
  /** Whether the member is null. */
  isNull(key: string): boolean;
  /** Refuses any other value. */
  literal(key: string, value: string | number): void;
}

/**
 * Reads a JSON file whose top is an object.
 *
 * @throws {SyntaxError} with path and member, when the file or a member taken from it is not as expected
 */
export function readJson(path: string, what: string): JsonRecord {
  let value: unknown;
  try {
    value = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`Cannot read the ${what} ${path}: ${error.message}. Write it again.`);
  }
  return record(path, what, "", value);
}

function record(path: string, what: string, at: string, value: unknown): JsonRecord {
  const fail = (place: string, expected: string, found: unknown): never => {
    const text = JSON.stringify(found) ?? "nothing";
    throw new SyntaxError(
      `Cannot read the ${what} ${path}: ${place || "it"} should be ${expected}, current value is ` +
        `${text.length > 60 ? `${text.slice(0, 60)}…` : text}. Write it again.`,
    );
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    fail(at, "an object", value);
  }
  const members = value as Record<string, unknown>;
  const place = (key: string) => at === "" ? key : `${at}.${key}`;
  const take = <T>(key: string, expected: string, is: (member: unknown) => member is T): T => {
    const member = Object.hasOwn(members, key) ? members[key] : undefined;
    return is(member) ? member : fail(place(key), expected, member);
  };
  return {
    names: () => Object.keys(members),
    number: (key) => take(key, "a number", isNumber),
    text: (key) => take(key, "a text", (member) => typeof member === "string"),
    boolean: (key) => take(key, "true or false", (member) => typeof member === "boolean"),
    oneOf: <const T extends string>(key: string, values: readonly T[]) =>
      take(
        key,
        `one of ${values.join(", ")}`,
        (member): member is T => (values as readonly unknown[]).includes(member),
      ),
    numbers: (key, length) =>
      take(
        key,
        length === undefined ? "a list of numbers" : `a list of ${length} numbers`,
        (member): member is number[] =>
          Array.isArray(member) && member.every(isNumber) &&
          member.length === (length ?? member.length),
      ),
    texts: (key) =>
      take(
        key,
        "a list of texts",
        (member): member is string[] =>
          Array.isArray(member) && member.every((text) => typeof text === "string"),
      ),
    list: (key, parse) =>
      take(key, "a list", Array.isArray).map((entry, i) =>
        parse(record(path, what, `${place(key)}[${i}]`, entry))
      ),
    record: (key) => record(path, what, place(key), members[key]),
    isNull: (key) => members[key] === null,
    literal: (key, value) =>
      void take(key, JSON.stringify(value), (member): member is typeof value => member === value),
  };
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
