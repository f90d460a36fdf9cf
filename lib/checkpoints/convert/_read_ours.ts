import { openSafetensors } from "../../formats/safetensors.ts";
import type { TensorInput } from "../../formats/tensor_types.ts";
import { OTHER_MEMBER } from "../_other.ts";
import { ASSUMED } from "../_tensor_file.ts";
import type { CheckpointContents } from "../document.ts";
import { openCheckpoint } from "../open.ts";
import {
  policyTensors,
  type PortableCheckpoint,
  type ReadOptions,
  settledConfig,
  splitTensors,
} from "./_portable.ts";

/** Metadata of a safetensors file: all that a `checkpoint.json` says, but for files and digests. */
export const CONTENTS = "contents";

/** How names of running averages begin. */
const AVERAGE = "ema.";

/** Reads a folder of ours, or that of a run. */
export async function readFolder(path: string, options: ReadOptions): Promise<PortableCheckpoint> {
  const source = openCheckpoint(path, { which: options.which ?? "latest" });
  const close = () => source.close();
  try {
    const other = source.others();
    const state = new Map<string, TensorInput>([
      ...source.training() ?? [],
      ...other?.training ?? [],
    ]);
    // The policy predicts with them, so they are weights.
    const averages = new Map([...state].filter(([name]) => name.startsWith(AVERAGE)));
    await source.verify({
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      weightsOnly: options.weightsOnly === true && averages.size === 0,
    });
    const { extra: { [OTHER_MEMBER]: _described, ...extra }, ...document } = source.document!;
    const { config, assumed, remarks } = settledConfig(source, options);
    const made = contentsOf(document as unknown as CheckpointContents);
    const weights = options.weightsOnly ? { optimizer: null, schedule: null } : {};
    if (options.weightsOnly && state.size > averages.size) {
      remarks.push(
        `${source.path}: the state of the optimiser is left out, as --weights-only says.`,
      );
    }
    return {
      contents: { ...made, ...weights, config, assumed, extra },
      tensors: policyTensors(source, config),
      others: other?.tensors ?? new Map(),
      training: options.weightsOnly ? averages : state,
      remarks,
      [Symbol.dispose]: close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Reads a safetensors file. */
export function readTensorFile(path: string, options: ReadOptions): PortableCheckpoint {
  const source = openCheckpoint(path);
  try {
    const file = openSafetensors(path);
    try {
      const close = () => {
        source.close();
        file.close();
      };
      const entries = file.names.map((name) => [name, file.tensor(name)] as const);
      const { config, assumed, ...split } = splitTensors(source, entries, options);
      return {
        ...split,
        contents: { ...metadataOf(path, file.metadata), config, assumed },
        training: new Map(),
        [Symbol.dispose]: close,
      };
    } catch (error) {
      file.close();
      throw error;
    }
  } catch (error) {
    source.close();
    throw error;
  }
}

/** What a safetensors file says beside its tensors; texts of other programs are kept. */
function metadataOf(
  path: string,
  { format: _format, config, [ASSUMED]: assumed, [CONTENTS]: contents, ...other }: Readonly<
    Record<string, string>
  >,
): Partial<CheckpointContents> {
  // Without a configuration the word means something of another program.
  const isOther = config === undefined && assumed !== undefined;
  const rest = isOther ? { ...other, [ASSUMED]: assumed } : other;
  const kept = Object.keys(rest).length === 0 ? {} : { metadata: rest };
  if (contents === undefined) return { extra: kept };
  let value: unknown;
  try {
    value = JSON.parse(contents);
  } catch (error) {
    throw new SyntaxError(`Cannot read the metadata of ${path}: ${(error as Error).message}`);
  }
  const made = contentsOf(value as CheckpointContents);
  return { ...made, extra: { ...made.extra, ...kept } };
}

/** The members of `checkpoint.json` that are taken over. */
export function contentsOf(value: CheckpointContents): Partial<CheckpointContents> {
  const { program, trainingStage, epoch, globalStep, consumedSamples, losses } = value;
  const { actionRepresentation, statisticsDigest, splitDigest, features } = value;
  const { optimizer, schedule, sampler, random, extra } = value;
  const members = {
    ...{ program, trainingStage, epoch, globalStep, consumedSamples, losses },
    ...{ actionRepresentation, statisticsDigest, splitDigest, features },
    ...{ optimizer, schedule, sampler, random, extra },
  };
  return Object.fromEntries(
    Object.entries(members).filter(([, member]) => member !== undefined),
  );
}
