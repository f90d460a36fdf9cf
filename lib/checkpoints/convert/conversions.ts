import { extname, relative, resolve, sep } from "node:path";
import type { Conversion, ConvertRequest } from "../../episodes/convert/conversion.ts";
import { prepareOutput, single } from "../../episodes/convert/_output.ts";
import { isFile, isFolder, isThere } from "../../formats/_path.ts";
import { join } from "node:path";
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
const FILES = /^\.(pt|pth|ckpt|safetensors|pkl|npz|npy|csv|json)$/i;

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
  FORMS.filter((target) => target !== source).map((target): Conversion => ({
    from: source.from,
    to: target.to,
    summary: SUMMARIES[target.to]!,
    claims: ({ input, output }) => source.isInput(input) && target.isOutput(output),
    run: (request) => convert(source, target, request),
  }))
);

async function convert(source: Form, target: Form, request: ConvertRequest) {
  const { input, output, overwrite } = request;
  if (isFolder(output)) refuseFolder(input, output);
  prepareOutput(output, overwrite);
  const { weightsOnly, config, which, signal } = request;
  using checkpoint = await source.read(input, { weightsOnly, config, which, signal });
  const { tensors, remarks } = await target.write(output, checkpoint);
  return single({ path: output, tensors, bytes: bytesOf(output) }, [
    ...checkpoint.remarks,
    ...remarks,
  ]);
}

/** A folder is replaced as a whole, so it must be a checkpoint, and not hold what is read. */
function refuseFolder(input: string, output: string): void {
  const inside = relative(resolve(output), resolve(input));
  const holdsInput = inside === "" || !(inside === ".." || inside.startsWith(`..${sep}`));
  const isEmpty = [...Deno.readDirSync(output)].length === 0;
  if (!holdsInput && (isEmpty || isFile(join(output, DOCUMENT_FILE)))) return;
  throw new RangeError(
    `Cannot write ${output}: a folder that is replaced should be a checkpoint, current value is ${
      holdsInput ? `one that holds ${input}` : `one without ${DOCUMENT_FILE}`
    }. Give another OUTPUT.`,
  );
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
