/** What a system's error says about the place that is written to, and what helps. */
const CAUSES: Readonly<Record<string, readonly [state: string, advice: string]>> = {
  ENOSPC: ["its disk should have room left", "Free some, or write to another disk."],
  EDQUOT: ["the user's quota should have room left", "Free some, or write to another disk."],
  EFBIG: ["its file system should hold files this large", "Write to another disk."],
  EROFS: ["its file system should not be read-only", "Write to another folder."],
};

/**
 * Does something for a file or folder that is written; errors of a full or read-only disk, which
 * tell no path or one that nobody knows, name it.
 */
export function writing<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw writeError(path, error);
  }
}

/** As {@linkcode writing}, for an error at hand. */
export function writeError(path: string, error: unknown): unknown {
  const [state, advice] = CAUSES[errorCode(error) ?? ""] ?? [];
  if (state === undefined) return error;
  const { message } = error as Error;
  return new Error(`Cannot write ${path}: ${state}, current value is "${message}". ${advice}`, {
    cause: error,
  });
}

/** Numbers of errors that Deno does not name, on Linux and macOS. */
const NUMBERS: Readonly<Record<string, string>> = {
  ...{ 27: "EFBIG", 28: "ENOSPC", 30: "EROFS", 69: "EDQUOT", 122: "EDQUOT" },
};

/** The system's name of an error, e.g. `ENOSPC`. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: string };
  if (code !== undefined || error.cause !== undefined) return code; // one with a cause is told already
  const [, number = ""] = /\(os error (\d+)\)/.exec(error.message) ?? [];
  return NUMBERS[number];
}
