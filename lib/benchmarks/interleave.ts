/** Measures several contenders in turn, so that what disturbs the machine disturbs all of them. */

/** How many runs a contender measures when it is its turn. */
export interface Block {
  /** Measured runs at most, at least 1. */
  readonly runs: number;
  /** After so many milliseconds no further run begins; one is always measured. */
  readonly milliseconds: number;
  /** Whether one run comes first that does not count, because it finds cold caches. Default: true */
  readonly warmUp?: boolean;
}

/** Something that can be measured block by block and does nothing in between. */
export interface Contender {
  /** Measures a block and returns the milliseconds of each run. */
  readonly measure: (block: Block) => Promise<readonly number[]>;
}

/** How contenders are measured. */
export interface Plan {
  /** Turns of each contender. */
  readonly rounds: number;
  /** What one turn measures; a number of runs for each round. */
  readonly runs: readonly number[];
  /** Milliseconds of one turn; it ends with the run that passes them. */
  readonly milliseconds: number;
  /** Called before each round, from 0. */
  readonly onRound?: (round: number) => void;
}

/**
 * Spreads runs over rounds.
 *
 * @param runs all measured runs, at least 1
 * @param rounds rounds at most
 * @returns runs of each round, none of them 0; their sum is `runs`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { spreadRuns } from "./interleave.ts";
 * assert(String(spreadRuns(7, 3)) === "3,2,2");
 * assert(String(spreadRuns(2, 3)) === "1,1");
 * ```
 */
export function spreadRuns(runs: number, rounds: number): number[] {
  const used = Math.min(runs, rounds);
  return Array.from({ length: used }, (_, i) => Math.ceil((runs - i) / used));
}

/**
 * Measures contenders in rounds: each has a turn in every round, never two at once, and every other
 * round goes backwards, so that a machine that slows down steadily favours nobody.
 *
 * @param contenders who is measured
 * @param plan rounds and runs
 * @returns for each contender the times of each round, milliseconds
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { interleave } from "./interleave.ts";
 *
 * const order: string[] = [];
 * const contender = (name: string) => ({
 *   measure: () => (order.push(name), Promise.resolve([1])),
 * });
 * const plan = { rounds: 2, runs: [1, 1], milliseconds: 10 };
 * await interleave([contender("ours"), contender("peer")], plan);
 * assert(order.join(" ") === "ours peer peer ours");
 * ```
 */
export async function interleave(
  contenders: readonly Contender[],
  plan: Plan,
): Promise<(readonly number[])[][]> {
  const times = contenders.map((): (readonly number[])[] => []);
  for (let round = 0; round < plan.rounds; round++) {
    plan.onRound?.(round);
    const block = { runs: plan.runs[round]!, milliseconds: plan.milliseconds };
    const order = [...contenders.keys()];
    if (round % 2 === 1) order.reverse();
    for (const index of order) {
      times[index]!.push(await contenders[index]!.measure(block));
    }
  }
  return times;
}

/**
 * Measures a block in this process.
 *
 * @param run what is measured
 * @param block how often
 * @returns milliseconds of each run
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { measureBlock } from "./interleave.ts";
 * const times = await measureBlock(() => {}, { runs: 3, milliseconds: 60_000 });
 * assert(times.length === 3);
 * ```
 */
export async function measureBlock(
  run: () => void | Promise<void>,
  { runs, milliseconds, warmUp = true }: Block,
): Promise<number[]> {
  if (warmUp) await run();
  const times: number[] = [];
  const begin = performance.now();
  do {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  } while (times.length < runs && performance.now() - begin < milliseconds);
  return times;
}
