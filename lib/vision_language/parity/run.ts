import { join } from "node:path";
import { nativeBfloat16 } from "../../engine/mod.ts";
import { isFile } from "../../formats/_path.ts";
import { openModelFolder } from "../model_folder.ts";
import { openTokenizer } from "../tokenizer.ts";
import { disposeWeights, loadWeights } from "../weights.ts";
import { checkAdapters } from "./adapters.ts";
import { checkCase, type ComparedModel } from "./cases.ts";
import type { VisionLanguageCheck } from "./check.ts";
import { CASE_PROCESSOR, checkImages, checkPixels } from "./images.ts";
import { readDocument, Recording } from "./_recording.ts";
import { checkTexts } from "./texts.ts";
import { checkRealShapes, checkUnits } from "./units.ts";

/** What is compared, and with what. */
export interface VisionLanguageParityOptions {
  /** Folder with the tokenizer whose ids are compared; without, texts are left out. */
  readonly tokenizer?: string;
  /** Called with what is compared next. */
  readonly onCase?: (name: string) => void;
  /** Stops the work. */
  readonly signal?: AbortSignal;
}

/** What `deno task parity:qwen` prints with `--json`. */
export interface VisionLanguageParity {
  /** Whether there were checks and all passed. */
  readonly pass: boolean;
  /** One entry per comparison. */
  readonly checks: readonly VisionLanguageCheck[];
}

/**
 * Compares trocar's Qwen2.5-VL with the numbers that the published library computed, on the engine in
 * use: every intermediate value of the model's cases op by op and compiled, in bfloat16 too, layers
 * alone, positions at real sizes, adapters and their training, pictures, tokens.
 *
 * @param folder with `model`, `cases`, `lora`, `image` and `text`; what is missing is left out, but
 * the model
 * @param options tokenizer, progress
 * @returns the checks
 * @throws {SyntaxError} when the recording is damaged
 */
export async function checkVisionLanguage(
  folder: string,
  { tokenizer, onCase = () => {}, signal }: VisionLanguageParityOptions = {},
): Promise<VisionLanguageParity> {
  const checks: VisionLanguageCheck[] = [];
  const next = (name: string) => {
    signal?.throwIfAborted();
    onCase(name);
  };
  next("image");
  checks.push(...checkImages(folder));
  if (tokenizer !== undefined) checks.push(...checkTexts(folder, openTokenizer(tokenizer)));
  using model = openModelFolder(join(folder, "model"));
  const compared: ComparedModel = {
    config: model.config,
    weights: await loadWeights(model, { dtype: "float32" }),
    rounded: nativeBfloat16() ? await loadWeights(model, { dtype: "bfloat16" }) : null,
  };
  try {
    for (const [name, recording] of caseFiles(folder)) {
      next(name);
      using file = recording();
      if (name === "units") checks.push(...await checkUnits(file, compared));
      else if (name === "real_shapes") checks.push(...checkRealShapes(file));
      else {
        checks.push(...checkPixels(name, file, CASE_PROCESSOR));
        for (const mode of ["eager", "compiled"] as const) {
          checks.push(...await checkCase(name, file, compared, mode));
        }
      }
    }
    checks.push(...await checkAdapters(folder, compared, (name) => next(`lora ${name}`)));
  } finally {
    disposeWeights(compared.weights);
    if (compared.rounded !== null) disposeWeights(compared.rounded);
  }
  return { pass: checks.length > 0 && checks.every(({ pass }) => pass), checks };
}

/** The recorded cases, those that need no batch last. */
function caseFiles(folder: string): [name: string, open: () => Recording][] {
  const cases = readDocument(folder, "cases", "cases.json") ?? {};
  return [...Object.keys(cases as object), "units", "real_shapes"]
    .map((name) => [name, join(folder, "cases", `${name}.safetensors`)] as const)
    .filter(([, path]) => isFile(path))
    .map(([name, path]) => [name, () => new Recording(path)]);
}
