import { isRecord } from "../formats/_is_record.ts";

/** A member of a value that may be no object. */
export function member(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
