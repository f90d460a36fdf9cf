import { openCheckpoint, pointerPath, VISUAL_MEMBER } from "../checkpoints/mod.ts";
import type { PointerName } from "../checkpoints/mod.ts";
import { join } from "node:path";
import type { ActionRepresentation } from "../episodes/mod.ts";
import type { JsonValue } from "../features/canonical_json.ts";
import { isThere, removeAllLeftovers } from "../formats/_partial_file.ts";
import type { StoredTensor, TensorArray } from "../formats/mod.ts";
import type { PolicyConfig } from "../policies/mod.ts";
import { CheckpointWriter } from "./_checkpoint_writer.ts";
import { type CheckpointArrays, checkpointName, CHECKPOINTS } from "./_write_run_checkpoint.ts";
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
  /** What is trained of a visual-language model, and of which. @default {nothing} */
  readonly visual?: JsonValue;
  /** Optimiser and its groups. */
  readonly optimizer: JsonValue;
  /** The learning rate's schedule. */
  readonly schedule: JsonValue;
  /** Seed of all random numbers. */
  readonly seed: number;
}

/**
 * The checkpoints of a run: at most three folders, which the pointers latest, best and final name. They
 * are written by a thread while training goes on; of parameters and moments there is never more than
 * one copy.
 */
export class RunCheckpoints implements AsyncDisposable {
  readonly #run: string;
  readonly #subject: CheckpointSubject;
  readonly #before: readonly string[];
  readonly #writer = new CheckpointWriter();
  /** The state that the newest folder holds. */
  #saved = "";

  /**
   * Prepares them; nothing is written yet.
   *
   * @param run its folder
   * @param subject what all its checkpoints say
   * @param options `before`: names of files of the run that must be on the disk before a pointer names a
   * new checkpoint; default none
   */
  constructor(
    run: string,
    subject: CheckpointSubject,
    options: { readonly before?: readonly string[] } = {},
  ) {
    this.#run = run;
    this.#subject = subject;
    this.#before = (options.before ?? []).map((name) => join(run, name));
  }

  /** Whether one is being written: what is saved now would have to wait for it. */
  get isWriting(): boolean {
    return this.#writer.isBusy;
  }

  /**
   * Begins to write a checkpoint and to let pointers name it, when the one before it is written;
   * afterwards folders that no pointer names are removed.
   *
   * @param state where the training is
   * @param take copies parameters and moments; not called if the newest checkpoint holds this state
   * @param pointers which point to it
   * @returns when the copies are made: training may go on
   * @throws {Error} when the one before it could not be written
   */
  async save(
    state: TrainingState,
    take: () => Promise<TrainingSnapshot>,
    pointers: readonly PointerName[],
  ): Promise<void> {
    await this.#writer.drain();
    const identity = JSON.stringify(state);
    const input = identity === this.#saved ? null : this.#input(state, await take());
    this.#saved = identity;
    const name = checkpointName(state.globalStep);
    this.#writer.begin({ run: this.#run, name, input, pointers, before: this.#before });
  }

  /**
   * Tells of a write that has failed in the meantime.
   *
   * @throws {Error} when one could not be written
   */
  check(): void {
    this.#writer.check();
  }

  /**
   * Waits until all is written.
   *
   * @throws {Error} when it could not be
   */
  drain(): Promise<void> {
    return this.#writer.drain();
  }

  /**
   * Reads the latest checkpoint, after what a killed process left half-written is removed.
   *
   * @returns state and snapshot; null if the run has none
   * @throws {SyntaxError} when it is damaged
   */
  async latest(): Promise<{ state: TrainingState; snapshot: TrainingSnapshot } | null> {
    for (const folder of [this.#run, join(this.#run, CHECKPOINTS)]) removeAllLeftovers(folder);
    if (!isThere(pointerPath(this.#run, "latest"))) return null;
    using checkpoint = openCheckpoint(this.#run, { which: "latest" });
    await checkpoint.verify();
    const state = checkpoint.document?.extra.trainingState as unknown as TrainingState;
    const others = checkpoint.others();
    return {
      state,
      snapshot: {
        model: readAll(checkpoint.tensors),
        training: readAll(checkpoint.training() ?? new Map()),
        ...(others === null
          ? {}
          : { visual: { model: readAll(others.tensors), training: readAll(others.training) } }),
      },
    };
  }

  /** Waits for what is being written, and ends the thread. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#writer[Symbol.asyncDispose]();
  }

  #input(state: TrainingState, { model, training, visual }: TrainingSnapshot): CheckpointArrays {
    const { seed, visual: description = null, ...subject } = this.#subject;
    return {
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
        extra: {
          trainingState: state as unknown as JsonValue,
          ...(description === null ? {} : { [VISUAL_MEMBER]: description }),
        },
      },
      tensors: model,
      training,
      ...(visual === undefined
        ? {}
        : { others: { tensors: visual.model, training: visual.training } }),
    };
  }
}

function readAll(tensors: ReadonlyMap<string, StoredTensor>): Record<string, TensorArray> {
  return Object.fromEntries([...tensors].map(([name, tensor]) => [name, tensor.read()]));
}
