import { join } from "node:path";
import { prepareOutput, single } from "../../episodes/convert/_output.ts";
import type {
  Conversion,
  ConversionResult,
  ConvertRequest,
} from "../../episodes/convert/conversion.ts";
import { isFile, isFolder } from "../../formats/_path.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../../vision_language/_file_names.ts";
import { FORMS, isFolderName } from "./_forms.ts";
import { bytesOf, holds, refuseInside } from "./_output_folder.ts";
import type { Written } from "./_write.ts";

const SOURCES = FORMS.filter(({ to }) => to !== "safetensors");

/**
 * The conversions of visual-language models that a second stage trained: into an adapter as peft saves
 * it, and into a model's folder as published, into which adapters of peft are merged, too. They are
 * meant where the request says so with `to`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openModelFolder } from "../../vision_language/mod.ts";
 * import { MODEL_CONVERSIONS } from "./mod.ts";
 *
 * const fixtures = "data-fixtures/vision_language", output = `${Deno.makeTempDirSync()}/merged`;
 * const request = { input: `${fixtures}/lora/attn`, output, to: "model", model: `${fixtures}/model` };
 * await MODEL_CONVERSIONS.find((each) => each.to === "model" && each.claims(request))!.run(request);
 * using merged = openModelFolder(output);
 * assert.equal(merged.config.text.layers, 3);
 * ```
 */
export const MODEL_CONVERSIONS: readonly Conversion[] = [
  ...SOURCES.map(({ from, isInput }): Conversion => ({
    ...{ from, to: "peft" },
    summary: "--to peft: the adapter that stage 2 trained, a folder that peft loads",
    claims: ({ input, output, to }) => to === "peft" && isInput(input) && isFolderName(output),
    run: (request) =>
      convert(request, [ADAPTER_CONFIG, ADAPTER_WEIGHTS], async ({ writePeft }) => {
        using checkpoint = await opened(request);
        const written = await writePeft(request.input, request.output, checkpoint);
        return { ...written, remarks: [...checkpoint.remarks, ...written.remarks] };
      }),
  })),
  ...SOURCES.map(({ from, isInput }): Conversion => ({
    ...{ from, to: "model" },
    summary: "--to model --model BASE: BASE with what stage 2 trained, a folder as published",
    claims: ({ input, output, to }) => to === "model" && isInput(input) && isFolderName(output),
    run: (request) =>
      convert(request, namesIn(request.model), async ({ writeTrainedModel }) => {
        using checkpoint = await opened(request);
        const { input, output } = request;
        const written = await writeTrainedModel(input, output, checkpoint, request);
        return { ...written, remarks: [...checkpoint.remarks, ...written.remarks] };
      }),
  })),
  {
    ...{ from: "adapter of peft", to: "model" },
    summary: "--to model --model BASE: BASE with the adapter merged into it",
    claims: ({ input, output, to }) => to === "model" && isAdapter(input) && isFolderName(output),
    run: (request) =>
      convert(
        request,
        namesIn(request.model),
        ({ mergeAdapterFolder }) => mergeAdapterFolder(request.input, request.output, request),
      ),
  },
];

/** Whether a path is an adapter as peft saves it. */
export function isAdapter(path: string): boolean {
  return isFolder(path) && isFile(join(path, ADAPTER_CONFIG));
}

/** A checkpoint with what was trained of its model told apart. */
async function opened({ input, which, model, loraAlpha, signal }: ConvertRequest) {
  const source = SOURCES.find(({ isInput }) => isInput(input))!;
  const read = await source.read(input, { which, signal, weightsOnly: source.to === "pt" });
  const checkpoint = { ...read, remarks: [] }; // they concern the policy
  try {
    const { settleModel } = await import("./_settle_model.ts");
    return await settleModel(input, checkpoint, { model, loraAlpha, signal }, "model");
  } catch (error) {
    checkpoint[Symbol.dispose]();
    throw error;
  }
}

/** Writes a folder in one step; what else lies in an older one would be lost, and is not replaced. */
async function convert(
  { input, output, model, overwrite }: ConvertRequest,
  names: readonly string[],
  write: (library: typeof import("./_trained_models.ts")) => Promise<Written>,
): Promise<ConversionResult> {
  refuseInside(output);
  const held = [input, ...(model === undefined ? [] : [model])].find((path) => holds(output, path));
  const strange = isFolder(output)
    ? [...Deno.readDirSync(output)].find(({ name }) => !names.includes(name))
    : undefined;
  if (held !== undefined || strange !== undefined) {
    throw new RangeError(
      `Cannot write ${output}: OUTPUT should be new, or hold nothing but older files of its kind, ` +
        `current value ${held === undefined ? `holds ${strange!.name}` : `is or holds ${held}`}. ` +
        "Give another OUTPUT.",
    );
  }
  prepareOutput(output, overwrite);
  const { tensors, remarks } = await write(await import("./_trained_models.ts"));
  return single({ path: output, tensors, bytes: bytesOf(output) }, remarks);
}

function namesIn(folder: string | undefined): string[] {
  if (folder === undefined || !isFolder(folder)) return [];
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}
