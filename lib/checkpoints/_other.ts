import type { JsonValue } from "../features/canonical_json.ts";
import { isMembers } from "./_config.ts";
import { isTextList } from "./_document.ts";
import { type CheckpointFile, OTHER_FILE } from "./document.ts";

/** Member of `extra` that describes {@linkcode OTHER_FILE}. */
export const OTHER_MEMBER = "otherTensors";

/** What a `checkpoint.json` says of its file of other tensors. */
export interface OtherTensors {
  readonly file: CheckpointFile;
  /** Keys of other models' tensors, in the order of the file that they come from. */
  readonly keys: readonly string[];
}

/** The member of `extra` that says it. */
export function describeOther(bytes: number, sha256: string, keys: readonly string[]): JsonValue {
  return { file: OTHER_FILE, bytes, sha256, keys: [...keys] };
}

/**
 * The file of other tensors that a checkpoint's folder should have.
 *
 * @returns undefined where it should have none
 * @throws {SyntaxError} when it is not written as {@linkcode describeOther} does
 */
export function otherTensors(
  folder: string,
  extra: Readonly<Record<string, JsonValue>>,
): OtherTensors | undefined {
  if (!Object.hasOwn(extra, OTHER_MEMBER)) return undefined;
  const value = extra[OTHER_MEMBER]!;
  const { file, bytes, sha256, keys } = isMembers(value) ? value : {};
  const isRight = file === OTHER_FILE && Number.isSafeInteger(bytes) &&
    typeof sha256 === "string" && isTextList(keys);
  if (isRight) return { file: { name: OTHER_FILE, bytes: bytes as number, sha256 }, keys };
  throw new SyntaxError(
    `Cannot read ${folder}: extra.${OTHER_MEMBER} should have file, bytes, sha256 and keys, current ` +
      `value is ${JSON.stringify(value).slice(0, 100)}. Copy the checkpoint again.`,
  );
}
