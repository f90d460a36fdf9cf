import { createHash } from "node:crypto";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { isFile } from "../formats/_path.ts";
import type { SpecialTokenIds } from "./config.ts";

/** Texts to token ids. */
export interface TextTokenizer {
  /** SHA-256, hexadecimal, of what decides its ids. */
  readonly digest: string;
  /** Token ids of a text; special tokens are recognised inside of it. */
  encode(text: string): Int32Array;
  /** The same tokens as the vocabulary spells them. */
  tokens(text: string): string[];
  /** The id of a special token; undefined when there is none of this name. */
  special(token: string): number | undefined;
}

const FILE = "tokenizer.json";

/**
 * Opens the byte-level BPE tokenizer of a model's folder, `tokenizer.json`.
 *
 * Computed by Hugging Face's own library for JavaScript. `tokenizer_config.json` is not read: the
 * published fast tokenizer's ids are decided by `tokenizer.json` alone, while this library would also
 * obey settings of other models there, such as lower-casing.
 *
 * @param folder of the model
 * @returns the tokenizer
 * @throws {Deno.errors.NotFound} when there is no `tokenizer.json`
 * @throws {SyntaxError} when it is damaged, or its vocabulary cannot spell every text
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openTokenizer } from "./mod.ts";
 *
 * const tokenizer = openTokenizer("data-fixtures/vision_language/tokenizer");
 * assert.deepEqual([...tokenizer.encode("Hello, world!")], [9707, 11, 1879, 0]);
 * ```
 */
export function openTokenizer(folder: string): TextTokenizer {
  const path = join(folder, FILE);
  if (!isFile(path)) {
    throw new Deno.errors.NotFound(
      `Cannot open the tokenizer of ${folder}: it should hold ${FILE}, current value is no such ` +
        "file. Download the model again.",
    );
  }
  const text = Deno.readTextFileSync(path);
  const document = parse(path, text);
  const specials = specialsOf(path, document);
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(document, {});
  } catch (error) {
    throw new SyntaxError(
      `Cannot open the tokenizer ${path}: ${(error as Error).message}. Download it again.`,
    );
  }
  return {
    digest: createHash("sha256").update(text).digest("hex"),
    encode: (text) =>
      text === ""
        ? new Int32Array()
        : Int32Array.from(tokenizer.encode(text, { add_special_tokens: false }).ids),
    tokens: (text) => text === "" ? [] : tokenizer.tokenize(text, { add_special_tokens: false }),
    special: (token) => specials.get(token),
  };
}

/**
 * Refuses a tokenizer whose special tokens are not those of the model.
 *
 * @param tokenizer of a folder
 * @param tokens of the model's configuration
 * @throws {SyntaxError} when they differ
 */
export function assertSpecials(tokenizer: TextTokenizer, tokens: SpecialTokenIds): void {
  const expected = {
    "<|vision_start|>": tokens.visionStart,
    "<|vision_end|>": tokens.visionEnd,
    "<|image_pad|>": tokens.image,
  };
  for (const [token, id] of Object.entries(expected)) {
    const found = tokenizer.special(token);
    if (found === id) continue;
    throw new SyntaxError(
      `Cannot tokenise for the model: ${token} should be ${id} as in config.json, current value in ` +
        `${FILE} is ${found ?? "nothing"}. Copy both from one model.`,
    );
  }
}

function parse(path: string, text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`Cannot read ${path}: ${(error as Error).message}. Download it again.`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new SyntaxError(`Cannot read ${path}: it should hold an object. Download it again.`);
}

function specialsOf(path: string, document: object): Map<string, number> {
  const { model, added_tokens: added } = document as Record<string, unknown>;
  const { type, vocab } = (model ?? {}) as Record<string, unknown>;
  if (type !== "BPE" || !Array.isArray(added)) {
    throw new SyntaxError(
      `Cannot open the tokenizer ${path}: it should be a BPE model with added tokens, current value ` +
        `is ${JSON.stringify(type) ?? "no model"}. Is it that of Qwen2.5-VL?`,
    );
  }
  const letters = byteLetters();
  const lacking = letters.findIndex((letter) => !hasId(vocab, letter));
  if (lacking >= 0) {
    throw new SyntaxError(
      `Cannot open the tokenizer ${path}: its vocabulary should hold the letters of all 256 bytes, ` +
        `current value is none for byte ${lacking}, "${letters[lacking]}". Download it again.`,
    );
  }
  return new Map(added.map((token) => [String(token?.content), Number(token?.id)]));
}

function hasId(vocabulary: unknown, token: string): boolean {
  return typeof vocabulary === "object" && vocabulary !== null &&
    Number.isInteger(Object.getOwnPropertyDescriptor(vocabulary, token)?.value);
}

/**
 * The letters by which byte-level BPE spells bytes: printable ones stand for themselves, the others are
 * moved behind U+0100 in their order.
 *
 * Source: GPT-2, `bytes_to_unicode`.
 */
function byteLetters(): string[] {
  let moved = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = byte > 32 && byte < 127 || byte > 160 && byte !== 173;
    return String.fromCodePoint(isPrintable ? byte : 256 + moved++);
  });
}
