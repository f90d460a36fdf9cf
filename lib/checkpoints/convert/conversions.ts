import { extname } from "node:path";
import type { Conversion, ConvertRequest } from "../../episodes/convert/conversion.ts";
import { prepareOutput, single } from "../../episodes/convert/_output.ts";
import { isFolder } from "../../formats/_path.ts";
import { type Form, FORMS } from "./_forms.ts";
import { isAdapter } from "./model_conversions.ts";
import type { PortableCheckpoint } from "./_portable.ts";
import { bytesOf, realPath, refuseFolder, refuseInside } from "./_output_folder.ts";

const SUMMARIES: Readonly<Record<string, string>> = {
  pt: "what torch.load(weights_only=True) opens and the Python reference loads, AdamW's state " +
    "numbered by its groups; FILE.pt",
  checkpoint: "checkpoint folder, with the optimiser's state, and all else that the file holds",
  safetensors: "weights only, with the policy's configuration; FILE.safetensors",
};

/**
 * The conversions of checkpoints: a folder of ours (of a run, the one that `--which` names), a `.pt`
 * file of any layout of the Python reference's programs, or a safetensors file, into each of the
 * others. Every number keeps its bits and its dtype; what the output has no place for is a remark or
 * an error.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { policyShapes, preset } from "../../policies/mod.ts";
 * import { openCheckpoint } from "../open.ts";
 * import { writeCheckpoint } from "../write.ts";
 * import { CHECKPOINT_CONVERSIONS } from "./mod.ts";
 *
 * const config = preset("tiny", { architecture: "reference", fusion: "none" });
 * const tensors = new Map(policyShapes(config).map(({ key, shape }) => {
 *   const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.5);
 *   return [key, { dtype: "float32" as const, shape, data }];
 * }));
 * const folder = Deno.makeTempDirSync(), request = { input: `${folder}/a`, output: `${folder}/a.pt` };
 * await writeCheckpoint(request.input, { contents: { config, epoch: 3 }, tensors });
 * const row = CHECKPOINT_CONVERSIONS.find((each) => each.claims(request))!;
 * assert.equal(row.to, "pt");
 * await row.run(request);
 * using made = openCheckpoint(request.output);
 * assert.deepEqual([made.layout, made.epoch, made.tensors.size], ["stage1", 3, tensors.size]);
 * ```
 */
export const CHECKPOINT_CONVERSIONS: readonly Conversion[] = FORMS.flatMap((source) =>
  FORMS.map((target): Conversion => ({
    from: source.from,
    to: target.to,
    summary: source === target ? "with --config or --weights-only" : SUMMARIES[target.to]!,
    claims: ({ input, output, config, weightsOnly }) =>
      source.isInput(input) && target.isOutput(output) &&
      (source !== target || config !== undefined || weightsOnly === true),
    run: (request) => convert(source, target, request),
  }))
);

/**
 * Why no conversion of a checkpoint fits, and what does.
 *
 * @param request from where to where
 * @returns a sentence; undefined where INPUT is no checkpoint
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeTorchCheckpoint } from "../../formats/mod.ts";
 * import { whyNoConversion } from "./mod.ts";
 *
 * const input = `${Deno.makeTempDirSync()}/a.pt`;
 * writeTorchCheckpoint(input, {});
 * assert.match(whyNoConversion({ input, output: "b.pt" })!, /already a checkpoint .pt/);
 * assert.match(whyNoConversion({ input, output: "b.bin" })!, /\.bin/);
 * ```
 */
export function whyNoConversion({ input, output, to }: ConvertRequest): string | undefined {
  const source = FORMS.find((form) => form.isInput(input));
  if (isAdapter(input)) {
    return "an adapter is merged into the model that it was made for, with --to model --model BASE; " +
      "training and features take it as it is, with --adapter.";
  }
  if (source === undefined) return undefined;
  if (to === "peft" || to === "model") {
    return `OUTPUT should be a new folder for --to ${to}, a name without the extension of a file.`;
  }
  const isSame = source.isOutput(output);
  const found = isSame
    ? `a ${source.from}, and INPUT is already a ${source.from}; copy it, or say with --config or --weights-only what changes`
    : isFolder(output)
    ? "a folder that is there"
    : `a file that ends in ${extname(output)}`;
  return `OUTPUT should be ${
    FORMS.filter((form) => form !== source).map(({ to }) => OUTPUTS[to]).join(" or ")
  }, current value is ${found}.`;
}

const OUTPUTS: Readonly<Record<string, string>> = {
  pt: "a file FILE.pt (.pth, .ckpt)",
  checkpoint: "a new folder, a name without the extension of a file",
  safetensors: "a file FILE.safetensors",
};

/** What of a visual-language model goes along. */
async function settled(
  checkpoint: PortableCheckpoint,
  { to }: Form,
  { input, model, loraAlpha, signal }: ConvertRequest,
): Promise<PortableCheckpoint> {
  if (model === undefined && checkpoint.others.size === 0) return checkpoint;
  try {
    if (to === "safetensors" && model !== undefined) {
      throw new RangeError(
        `Cannot convert ${input} to a safetensors file with --model: OUTPUT should be a checkpoint or ` +
          "FILE.pt, current value is FILE.safetensors. Leave --model out.",
      );
    }
    const { settleModel } = await import("./_settle_model.ts");
    return await settleModel(input, checkpoint, { model, loraAlpha, signal }, to);
  } catch (error) {
    checkpoint[Symbol.dispose]();
    throw error;
  }
}

async function convert(source: Form, target: Form, request: ConvertRequest) {
  const { input, output, overwrite } = request;
  refuseInside(output);
  if (realPath(input) === realPath(output) || isFolder(output)) refuseFolder(input, output);
  prepareOutput(output, overwrite);
  const { weightsOnly, config, which, signal } = request;
  const read = await source.read(input, { weightsOnly, config, which, signal });
  using checkpoint = await settled(read, target, request);
  const { tensors, remarks } = await target.write(output, checkpoint);
  return single({ path: output, tensors, bytes: bytesOf(output) }, [
    ...checkpoint.remarks,
    ...remarks,
    ...(target.to === "checkpoint" && extname(output) !== ""
      ? [`${output} is a folder, as its extension is no file's that is known.`]
      : []),
  ]);
}
