/** Looks into documents that older or newer versions, or other hands, have written. */

/** The member at a path such as `val.rmse`; undefined where there is none. */
export function memberAt(document: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>(
    (value, name) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, name)
        ? (value as Record<string, unknown>)[name]
        : undefined,
    document,
  );
}

/** What a number can be; none that runs report is negative. */
export interface NumberLimits {
  /** Largest. @default {Infinity} */
  readonly most?: number;
  /** Whether it counts something. @default {false} */
  readonly isWhole?: boolean;
}

/** A finite number at a path, or null where there is none, or one that cannot be. */
export function numberAt(
  document: unknown,
  path: string,
  { most = Infinity, isWhole = false }: NumberLimits = {},
): number | null {
  const value = memberAt(document, path);
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  return value >= 0 && value <= most && (!isWhole || Number.isSafeInteger(value)) ? value : null;
}

/** A count at a path, or null. */
export function countAt(document: unknown, path: string): number | null {
  return numberAt(document, path, { isWhole: true });
}

/** Longer texts and lists are none that a run writes, and no table could hold them. */
const MOST_CHARACTERS = 100, MOST_MEMBERS = 100;

/** A name at a path, or null. */
export function textAt(document: unknown, path: string): string | null {
  const value = memberAt(document, path);
  return typeof value === "string" && value.length <= MOST_CHARACTERS ? value : null;
}

/** A list at a path; empty where there is none. */
export function listAt(document: unknown, path: string): readonly unknown[] {
  const value = memberAt(document, path);
  return Array.isArray(value) && value.length <= MOST_MEMBERS ? value : [];
}
