import { createHash } from "node:crypto";
import { promptText } from "../prompt.ts";
import type { TextTokenizer } from "../tokenizer.ts";
import { readDocument } from "./_recording.ts";
import { checkEqual, compareNumbers, EXACT, type VisionLanguageCheck } from "./check.ts";

interface Vector {
  readonly text: string;
  readonly ids: readonly number[];
}

interface Layout {
  readonly images: number;
  readonly user_text: string;
  readonly generation_prompt: boolean;
  readonly placeholders_per_image: readonly number[] | null;
  readonly length: number;
  readonly template_output?: string;
  readonly expanded?: string;
  readonly ids?: readonly number[];
  readonly ids_sha256_of_comma_joined_decimal?: string;
}

/**
 * Compares token ids and prompts.
 *
 * @param folder of the recording
 * @param tokenizer with the published vocabulary
 * @returns the checks
 */
export function checkTexts(folder: string, tokenizer: TextTokenizer): VisionLanguageCheck[] {
  const vectors = readDocument(folder, "text", "tokenizer.json") as
    | { readonly vectors: readonly Vector[] }
    | undefined;
  const chat = readDocument(folder, "text", "chat.json") as
    | { readonly layouts: readonly Layout[] }
    | undefined;
  return [
    ...(vectors?.vectors ?? []).map(({ text, ids }) =>
      compareNumbers(
        ["text", `tokens of ${JSON.stringify(text)}`],
        tokenizer.encode(text),
        ids,
        EXACT,
      )
    ),
    ...(chat?.layouts ?? []).flatMap((layout) => checkLayout(layout, tokenizer)),
  ];
}

function checkLayout(layout: Layout, tokenizer: TextTokenizer): VisionLanguageCheck[] {
  const { images, user_text: text, generation_prompt: opensAnswer } = layout;
  const place = (what: string) => ["text", `prompt with ${images} images, ${what}`] as const;
  const written = (imageTokens: readonly number[]) =>
    promptText({ imageTokens, text, opensAnswer });
  const expanded = written(layout.placeholders_per_image ?? new Array<number>(images).fill(1));
  const ids = tokenizer.encode(expanded);
  const checks = [compareNumbers(place("length"), [ids.length], [layout.length], EXACT)];
  if (layout.template_output !== undefined) {
    const single = written(new Array<number>(images).fill(1));
    checks.push(checkEqual(place("template"), single === layout.template_output));
  }
  if (layout.expanded !== undefined) {
    checks.push(checkEqual(place("expanded"), expanded === layout.expanded));
  }
  if (layout.ids !== undefined) checks.push(compareNumbers(place("ids"), ids, layout.ids, EXACT));
  const digest = layout.ids_sha256_of_comma_joined_decimal;
  if (digest !== undefined) {
    const found = createHash("sha256").update(ids.join(",")).digest("hex");
    checks.push(checkEqual(place("ids"), found === digest));
  }
  return checks;
}
