import { basename, join } from "node:path";
import {
  openCheckpoint,
  POINTER_NAMES,
  pointerPath,
  readPointer,
  writeCheckpoint,
  writePointer,
} from "../checkpoints/mod.ts";
import type { PointerName } from "../checkpoints/mod.ts";
import type { ActionRepresentation } from "../episodes/mod.ts";
import type { JsonValue } from "../features/canonical_json.ts";
import { isThere } from "../formats/_partial_file.ts";
import type { StoredTensor, TensorArray } from "../formats/mod.ts";
import type { PolicyConfig } from "../policies/mod.ts";
import type { TrainingSnapshot } from "./step.ts";
import type { TrainingState } from "./training_state.ts";

/** What all checkpoints of a run say. */
export interface CheckpointSubject {
  /** The policy. */
  readonly config: PolicyConfig;
  /** Program, e.g. `train:stage1`. */
  readonly program: string;
  /** `stage1`, for instance. */
  readonly trainingStage: string;
  /** What an action is. */
  readonly actionRepresentation: ActionRepresentation | null;
  /** Digest of the normalisation's statistics. */
  readonly statisticsDigest: string;
  /** Digest of the split. */
  readonly splitDigest: string;
  /** Identity of the visual features. */
  readonly features: JsonValue;
  /** Optimiser and its groups. */
  readonly optimizer: JsonValue;
  /** The learning rate's schedule. */
  readonly schedule: JsonValue;
  /** Seed of all random numbers. */
  readonly seed: number;
}

const FOLDER = "checkpoints";

/** The checkpoints of a run: at most three folders, which the pointers latest, best and final name. */
export class RunCheckpoints {
  readonly #run: string;
  readonly #subject: CheckpointSubject;
  /** The state that the newest folder holds. */
  #saved = "";

  /**
   * Prepares them; nothing is read or written yet.
   *
   * @param run its folder
   * @param subject what all its checkpoints say
   */
  constructor(run: string, subject: CheckpointSubject) {
    this.#run = run;
    this.#subject = subject;
  }

  /**
   * Writes a checkpoint and lets pointers name it; afterwards folders that no pointer names are removed.
   *
   * @param state where the training is
   * @param snapshot parameters and moments
   * @param pointers which point to it
   */
  async save(
    state: TrainingState,
    { model, training }: TrainingSnapshot,
    pointers: readonly PointerName[],
  ): Promise<void> {
    const name = `step-${String(state.globalStep).padStart(8, "0")}`;
    const { seed, ...subject } = this.#subject;
    Deno.mkdirSync(join(this.#run, FOLDER), { recursive: true });
    const identity = JSON.stringify(state);
    if (identity !== this.#saved) {
      await writeCheckpoint(join(this.#run, FOLDER, name), {
        contents: {
          ...subject,
          epoch: state.epoch,
          globalStep: state.globalStep,
          consumedSamples: state.samplesSeen,
          losses: {
            train: state.trainLoss,
            validation: state.validationLoss,
            bestValidation: state.bestLoss,
            bestEpoch: state.bestEpoch,
          },
          sampler: { seed, epoch: state.epoch, position: state.consumed },
          random: { seed, counter: state.globalStep },
          extra: { trainingState: state as unknown as JsonValue },
        },
        tensors: model,
        training,
      });
    }
    this.#saved = identity;
    // Training goes on from the latest one: whatever a kill leaves out before is written again.
    for (const pointer of [...pointers].sort((a, b) => +(a === "latest") - +(b === "latest"))) {
      writePointer(this.#run, pointer, join(FOLDER, name));
    }
    this.#removeOthers();
  }

  /**
   * Reads the latest checkpoint.
   *
   * @returns state and snapshot; null if the run has none
   * @throws {SyntaxError} when it is damaged
   */
  async latest(): Promise<{ state: TrainingState; snapshot: TrainingSnapshot } | null> {
    if (!isThere(pointerPath(this.#run, "latest"))) return null;
    using checkpoint = openCheckpoint(this.#run, { which: "latest" });
    await checkpoint.verify();
    const state = checkpoint.document?.extra.trainingState as unknown as TrainingState;
    return {
      state,
      snapshot: {
        model: readAll(checkpoint.tensors),
        training: readAll(checkpoint.training() ?? new Map()),
      },
    };
  }

  #removeOthers(): void {
    const kept = new Set(
      POINTER_NAMES.filter((name) => isThere(pointerPath(this.#run, name)))
        .map((name) => basename(readPointer(this.#run, name))),
    );
    for (const { name } of Deno.readDirSync(join(this.#run, FOLDER))) {
      if (!kept.has(name)) Deno.removeSync(join(this.#run, FOLDER, name), { recursive: true });
    }
  }
}

function readAll(tensors: ReadonlyMap<string, StoredTensor>): Record<string, TensorArray> {
  return Object.fromEntries([...tensors].map(([name, tensor]) => [name, tensor.read()]));
}
