import { dirname, extname, join, relative, resolve, sep } from "node:path";
import type { Conversion, ConvertRequest } from "../../episodes/convert/conversion.ts";
import { prepareOutput, single } from "../../episodes/convert/_output.ts";
import { isFile, isFolder, isThere } from "../../formats/_path.ts";
import { DOCUMENT_FILE } from "../document.ts";
import { POINTER_NAMES, pointerPath } from "../pointer.ts";
import type { PortableCheckpoint, ReadOptions } from "./_portable.ts";
import { readFolder, readTensorFile } from "./_read_ours.ts";
import { readTorch } from "./_read_torch.ts";
import { writeFolder, writeTensorFile, writeTorch, type Written } from "./_write.ts";

interface Form {
  /** What the input is called, and `--to` for the output. */
  readonly from: string;
  readonly to: string;
  isInput(path: string): boolean;
  isOutput(path: string): boolean;
  read(path: string, options: ReadOptions): PortableCheckpoint | Promise<PortableCheckpoint>;
  write(path: string, checkpoint: PortableCheckpoint): Written | Promise<Written>;
}

const TORCH = /^\.(pt|pth|ckpt)$/i, TENSORS = /^\.safetensors$/i;
/** Extensions of files; a folder's name may have a dot too. */
const FILES =
  /^\.(pt|pth|ckpt|safetensors?|pkl|pickle|npz|npy|csv|jsonl?|bin|h5|hdf5|onnx|gguf|zip|tar|gz|txt|ya?ml)$/i;

const FORMS: readonly Form[] = [
  {
    from: "checkpoint .pt",
    to: "pt",
    isInput: (path) => TORCH.test(extname(path)) && isFile(path),
    isOutput: (path) => TORCH.test(extname(path)) && !isFolder(path),
    read: readTorch,
    write: writeTorch,
  },
  {
    from: "checkpoint",
    to: "checkpoint",
    isInput: (path) => isFolder(path) && isCheckpoint(path),
    isOutput: (path) => isThere(path) ? isFolder(path) : !FILES.test(extname(path)),
    read: readFolder,
    write: writeFolder,
  },
  {
    from: "checkpoint .safetensors",
    to: "safetensors",
    isInput: (path) => TENSORS.test(extname(path)) && isFile(path),
    isOutput: (path) => TENSORS.test(extname(path)) && !isFolder(path),
    read: readTensorFile,
    write: writeTensorFile,
  },
];

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
export function whyNoConversion({ input, output }: ConvertRequest): string | undefined {
  const source = FORMS.find((form) => form.isInput(input));
  if (source === undefined) return undefined;
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

async function convert(source: Form, target: Form, request: ConvertRequest) {
  const { input, output, overwrite } = request;
  refuseInside(output);
  if (resolve(input) === resolve(output) || isFolder(output)) refuseFolder(input, output);
  prepareOutput(output, overwrite);
  const { weightsOnly, config, which, signal } = request;
  using checkpoint = await source.read(input, { weightsOnly, config, which, signal });
  const { tensors, remarks } = await target.write(output, checkpoint);
  return single({ path: output, tensors, bytes: bytesOf(output) }, [
    ...checkpoint.remarks,
    ...remarks,
    ...(target.to === "checkpoint" && extname(output) !== ""
      ? [`${output} is a folder, as its extension is no file's that is known.`]
      : []),
  ]);
}

/** A folder is replaced as a whole, so it must be a checkpoint, and not hold what is read. */
function refuseFolder(input: string, output: string): void {
  const inside = relative(resolve(output), resolve(input));
  const holdsInput = inside === "" || !(inside === ".." || inside.startsWith(`..${sep}`));
  if (holdsInput) {
    throw new RangeError(
      `Cannot write ${output}: OUTPUT should not be INPUT or hold it, current value is with INPUT ` +
        `${input}. Give another OUTPUT.`,
    );
  }
  if ([...Deno.readDirSync(output)].length === 0 || isFile(join(output, DOCUMENT_FILE))) return;
  throw new RangeError(
    `Cannot write ${output}: a folder that is replaced should be a checkpoint, current value is one ` +
      `without ${DOCUMENT_FILE}. Give another OUTPUT.`,
  );
}

/** What lies in a checkpoint's folder would be lost when that is replaced, and is not its own. */
function refuseInside(output: string): void {
  for (let folder = dirname(resolve(output));; folder = dirname(folder)) {
    if (isFile(join(folder, DOCUMENT_FILE))) {
      throw new RangeError(
        `Cannot write ${output}: it should lie outside of checkpoints, current value is within the ` +
          `checkpoint ${folder}. Give another OUTPUT.`,
      );
    }
    if (folder === dirname(folder)) return;
  }
}

/** A checkpoint's folder, or that of a run. */
function isCheckpoint(path: string): boolean {
  return isFile(join(path, DOCUMENT_FILE)) ||
    POINTER_NAMES.some((name) => isFile(pointerPath(path, name)));
}

function bytesOf(path: string): number {
  if (!isFolder(path)) return Deno.statSync(path).size;
  return [...Deno.readDirSync(path)].reduce(
    (sum, { name }) => sum + Deno.statSync(join(path, name)).size,
    0,
  );
}
