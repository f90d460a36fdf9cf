/** Ends the reading of a file whose contents are wrong. */
export function fail(
  path: string,
  offset: number,
  state: string,
  value: unknown,
  advice = "",
): never {
  throw new SyntaxError(
    `Cannot read ${path} at byte ${offset}: ${state}, current value is ${value}.${
      advice && ` ${advice}`
    }`,
  );
}

/** Ends the writing of an array that cannot be written as asked. */
export function refuse(state: string, value: unknown, advice = ""): never {
  throw new TypeError(
    `Cannot write the array: ${state}, current value is ${value}.${advice && ` ${advice}`}`,
  );
}
