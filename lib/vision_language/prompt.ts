import type { TextTokenizer } from "./tokenizer.ts";

/** What is asked of the model. */
export interface PromptText {
  /** Visual tokens of each image, in the order in which the model sees them. */
  readonly imageTokens: readonly number[];
  /** What stands after the images, exactly. */
  readonly text: string;
  /** System message. Default: the model's own */
  readonly system?: string;
  /** Whether the assistant's turn is opened, as for an answer. Default: false */
  readonly opensAnswer?: boolean;
}

const SYSTEM = "You are a helpful assistant.";
const IMAGE = "<|image_pad|>";

/** The prompt of one user turn as a template, for identities of features. */
export const PROMPT_TEMPLATE = `${before(SYSTEM)}{images}{instruction}<|im_end|>\n`;

/**
 * The text of a prompt: one turn of a user with images and text, after the system message. Nothing
 * stands between images, nor between images and text. Each image is its placeholder as many times as
 * it has visual tokens.
 *
 * Layout: the chat template published with Qwen2.5-VL.
 *
 * @param prompt images and text
 * @returns the text to tokenise
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { promptText } from "./mod.ts";
 *
 * const text = promptText({ imageTokens: [2], text: "Move left." });
 * assert(text.endsWith(
 *   "<|im_start|>user\n<|vision_start|><|image_pad|><|image_pad|><|vision_end|>Move left.<|im_end|>\n",
 * ));
 * ```
 */
export function promptText(
  { imageTokens, text, system = SYSTEM, opensAnswer = false }: PromptText,
): string {
  const images = imageTokens.map((count) => `<|vision_start|>${IMAGE.repeat(count)}<|vision_end|>`);
  const end = opensAnswer ? "<|im_start|>assistant\n" : "";
  return `${before(system)}${images.join("")}${text}<|im_end|>\n${end}`;
}

/**
 * Token ids of a prompt.
 *
 * @param tokenizer of the model
 * @param prompt images and text
 * @returns the ids
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodePrompt, openTokenizer } from "./mod.ts";
 *
 * const tokenizer = openTokenizer("data-fixtures/vision_language/tokenizer");
 * assert.equal(encodePrompt(tokenizer, { imageTokens: [], text: "Hello" }).length, 17);
 * ```
 */
export function encodePrompt(tokenizer: TextTokenizer, prompt: PromptText): Int32Array {
  return tokenizer.encode(promptText(prompt));
}

function before(system: string): string {
  return `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>user\n`;
}
