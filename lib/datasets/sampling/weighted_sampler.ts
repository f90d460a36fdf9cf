import { deriveKey, permutation, type PhiloxKey } from "../../engine/_philox.ts";
import type { DatasetGroup } from "../collection/groups.ts";
import { apportion } from "./_apportion.ts";
import { permuted } from "./_bijection.ts";
import { drawsBefore } from "./_epoch_counts.ts";
import { assertRange, checkSharding, type SampleOrder, type Sharding } from "./sample_order.ts";

/** How {@linkcode WeightedSampler} draws. */
export interface WeightedSamplerOptions extends Sharding {
  /** Another seed gives another order; 0 … 2⁵³ − 1. */
  readonly seed: number;
  /** Samples of an epoch, all ranks together; default as many as the groups have. */
  readonly epochSamples?: number;
  /** An epoch is a whole multiple of so many samples, which ranks must divide; default ranks. */
  readonly multiple?: number;
}

/** What an epoch draws of one data set. */
export interface GroupShare {
  /** Its name. */
  readonly name: string;
  /** Its weight. */
  readonly weight: number;
  /** Samples it has. */
  readonly samples: number;
  /** Share that follows from the weights. */
  readonly requested: number;
  /** Samples drawn, all ranks together. */
  readonly drawn: number;
  /** Their share of the epoch. */
  readonly realised: number;
}

/** Draws of an epoch are put in a random order within blocks of so many. */
const BLOCK = 32;

/** The draws of one block. */
interface Block {
  readonly number: number;
  /** `(32)`, at the end of an epoch fewer: group of each draw. */
  readonly group: Int32Array;
  /** The same: how many draws of that group came before it, since the first epoch. */
  readonly draw: Float64Array;
}

/**
 * Draws samples of several data sets by their shares.
 *
 * All draws of a run form one sequence, of which epoch e has the places e · L to (e + 1) · L, and rank r
 * of R every R-th of them from r on: all ranks have equally many, and no place in common. Each draw is a
 * pure function of seed and place, so that a run goes on anywhere; nothing is kept but the ranges of
 * the episodes.
 *
 * In every epoch a data set has what its share asks for, rounded down or up, in turns that even out,
 * and in every 32 places of an epoch the same up to about one draw, in random order. A data set gives its samples in a random order and each once, before it gives them again in another
 * order; this goes on over the ends of epochs. So epochs shorter than the data leave nothing out: the
 * next one begins with the rest.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { WeightedSampler } from "./mod.ts";
 *
 * const group = (name: string, share: number, start: number, count: number) => ({
 *   ...{ name, share, weight: share, confidence: 1, samples: count },
 *   ranges: [{ episode: 0, start, count }],
 * });
 * const groups = [group("large", 0.25, 0, 900), group("small", 0.75, 900, 100)];
 * const sampler = new WeightedSampler(groups, { seed: 1 });
 * const epoch = new Int32Array(sampler.length);
 * sampler.read(0, 0, epoch);
 * assert.equal(epoch.filter((sample) => sample >= 900).length, 750);
 * assert.equal(sampler.shares(0)[1]!.requested, 0.75);
 * ```
 */
export class WeightedSampler implements SampleOrder {
  /** Samples of an epoch, all ranks together. */
  readonly epochSamples: number;
  /** Samples of this rank in an epoch. */
  readonly length: number;
  readonly #groups: readonly { readonly ends: Float64Array; readonly key: PhiloxKey }[];
  readonly #info: readonly DatasetGroup[];
  readonly #shares: readonly number[];
  readonly #ranks: number;
  readonly #rank: number;
  readonly #blockKey: PhiloxKey;
  #block: Block = { number: -1, group: new Int32Array(), draw: new Float64Array() };

  /**
   * Prepares the draws.
   *
   * @param groups from `collectionGroups`
   * @param options seed, rank, length of an epoch: `epochSamples` is rounded down to whole multiples of
   * `multiple`, but to one at least
   * @throws {RangeError} when a number is out of range, or there is no group
   */
  constructor(groups: readonly DatasetGroup[], options: WeightedSamplerOptions) {
    const { seed } = options;
    const { ranks, rank } = checkSharding(options);
    const samples = groups.reduce((sum, group) => sum + group.samples, 0);
    const { epochSamples = samples, multiple = ranks } = options;
    assertPositive("number of samples", samples);
    assertPositive("epochSamples", epochSamples);
    assertPositive("multiple", multiple);
    if (multiple % ranks !== 0) {
      throw new RangeError(
        `Cannot draw samples: an epoch should be shared between ${ranks} ranks without rest, ` +
          `current value is a multiple of ${multiple}.`,
      );
    }
    this.epochSamples = Math.max(1, Math.floor(epochSamples / multiple)) * multiple;
    this.length = this.epochSamples / ranks;
    this.#ranks = ranks;
    this.#rank = rank;
    this.#info = groups;
    this.#shares = groups.map(({ share }) => share);
    this.#blockKey = deriveKey(seed, "data sets of a block");
    this.#groups = groups.map(({ name, ranges }) => {
      let end = 0;
      const ends = Float64Array.from(ranges, ({ count }) => end += count);
      return { ends, key: deriveKey(seed, `samples of ${name}`) };
    });
  }

  /**
   * Names the samples of this rank.
   *
   * @param epoch 0, 1, …
   * @param position of the first one, in this rank's epoch
   * @param target filled with the numbers of the samples from there on
   * @throws {RangeError} when they go beyond the epoch
   */
  read(epoch: number, position: number, target: Int32Array): void {
    assertRange(this.length, epoch, position, target);
    for (let i = 0; i < target.length; i++) {
      const place = (position + i) * this.#ranks + this.#rank;
      const { group, draw } = this.#blockOf(epoch, place), at = place % BLOCK;
      target[i] = this.#sample(group[at]!, draw[at]!);
    }
  }

  /**
   * What an epoch draws of each data set, counted.
   *
   * @param epoch 0, 1, …
   * @returns one entry per group
   */
  shares(epoch: number): GroupShare[] {
    const counts = this.#countsOf(epoch).drawn;
    return this.#info.map(({ name, weight, samples, share }, g) => {
      const drawn = counts[g]!;
      return {
        ...{ name, weight, samples, drawn },
        ...{ requested: share, realised: drawn / this.epochSamples },
      };
    });
  }

  /** Draws of each group before an epoch and in it. */
  #countsOf(epoch: number): { before: number[]; drawn: number[] } {
    const before = drawsBefore(this.#shares, this.epochSamples, epoch);
    const after = drawsBefore(this.#shares, this.epochSamples, epoch + 1);
    return { before, drawn: after.map((count, g) => count - before[g]!) };
  }

  #blockOf(epoch: number, place: number): Block {
    const length = this.epochSamples, first = place - place % BLOCK;
    const number = epoch * Math.ceil(length / BLOCK) + first / BLOCK;
    if (number === this.#block.number) return this.#block;
    const { before, drawn } = this.#countsOf(epoch);
    const realised = drawn.map((count) => count / length);
    const size = Math.min(BLOCK, length - first);
    const done = apportion(realised, first), next = apportion(realised, first + size);
    const sorted = next.flatMap((count, g) => new Array<number>(count - done[g]!).fill(g));
    const order = permutation(size, this.#blockKey, number);
    const group = Int32Array.from(order, (from) => sorted[from]!);
    const draw = Float64Array.from(group, (g) => before[g]! + done[g]!++);
    return this.#block = { number, group, draw };
  }

  #sample(g: number, draw: number): number {
    const { ends, key } = this.#groups[g]!, { samples, ranges } = this.#info[g]!;
    const member = permuted(draw % samples, samples, key, Math.floor(draw / samples));
    let low = 0, high = ends.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (member < ends[middle]!) high = middle;
      else low = middle + 1;
    }
    const { start, count } = ranges[low]!;
    return start + member - (ends[low]! - count);
  }
}

function assertPositive(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0) return;
  throw new RangeError(
    `Cannot draw samples: ${name} should be a positive integer, current value is ${value}.`,
  );
}
