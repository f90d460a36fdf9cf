/** Anything whose time goes by a number of tokens. */
interface Costly {
  /** Tokens that are computed for it. */
  readonly cost: number;
}

/** How many features there are of each cost. */
export type Costs = Map<number, number>;

/** Counts features by cost. */
export function costsOf(items: readonly Costly[]): Costs {
  const costs: Costs = new Map();
  for (const { cost } of items) costs.set(cost, (costs.get(cost) ?? 0) + 1);
  return costs;
}

interface Measurement {
  readonly items: number;
  readonly tokens: number;
  /** Costs that had not been computed before. */
  readonly fresh: number;
  readonly time: number;
}

/**
 * How long making features takes, as a linear model of their number and of the tokens that are computed:
 * least squares over what was measured. What a cost takes more the first time, when a model is compiled
 * for it, is kept apart.
 */
export class TimeModel {
  readonly #measured: Measurement[] = [];
  readonly #seen = new Set<number>();

  /**
   * Notes a measurement.
   *
   * @param made features
   * @param time s
   */
  add(made: readonly Costly[], time: number): void {
    if (made.length === 0) return;
    const costs = new Set(made.map(({ cost }) => cost));
    const tokens = made.reduce((sum, { cost }) => sum + cost, 0);
    const fresh = costs.difference(this.#seen).size;
    this.#measured.push({ items: made.length, tokens, fresh, time });
    costs.forEach((cost) => this.#seen.add(cost));
  }

  /** How often was measured. */
  get count(): number {
    return this.#measured.length;
  }

  /** Seconds that a feature took lately; infinite before the first. */
  get each(): number {
    const last = this.#measured.at(-1);
    return last === undefined ? Infinity : last.time / last.items;
  }

  /** Whether features of this cost were made. */
  has(cost: number): boolean {
    return this.#seen.has(cost);
  }

  /** Seconds that the first call of all took more, where features of its cost were made again. */
  get first(): number {
    const first = this.#measured[0];
    if (first === undefined || !this.#measured.some(({ fresh }) => fresh === 0)) return 0;
    return Math.max(0, first.time - this.#computing(first.items, first.tokens));
  }

  /**
   * Time that features will take.
   *
   * @param costs the features, by cost
   * @param fresh costs that will be computed for the first time. Default: those not seen so far
   * @returns s; 0 where nothing was measured
   */
  seconds(costs: Costs, fresh?: number): number {
    let items = 0, tokens = 0, unseen = 0;
    for (const [cost, count] of costs) {
      items += count;
      tokens += count * cost;
      if (count > 0 && !this.has(cost)) unseen++;
    }
    return this.#computing(items, tokens) + this.#compiling() * (fresh ?? unseen);
  }

  /** Seconds that a cost takes more the first time. The first call of all waits for more than that. */
  #compiling(): number {
    const all = this.#measured;
    if (!all.some(({ fresh }) => fresh === 0)) return 0;
    const later = all.slice(1).filter(({ fresh }) => fresh > 0);
    const used = later.length > 0 ? later : all.slice(0, 1);
    const more = used.reduce((sum, m) => sum + m.time - this.#computing(m.items, m.tokens), 0);
    return Math.max(0, more / used.reduce((sum, { fresh }) => sum + fresh, 0));
  }

  /** Seconds without compiling: by what was not the first of its cost, unless there is nothing else. */
  #computing(items: number, tokens: number): number {
    const all = this.#measured, warm = all.filter(({ fresh }) => fresh === 0);
    const used = warm.length > 0 ? warm : all.length > 1 ? all.slice(1) : all;
    const sum = (of: (m: Measurement) => number) =>
      used.reduce((total, measured) => total + of(measured), 0);
    const nn = sum((m) => m.items ** 2), nt = sum((m) => m.items * m.tokens);
    const tt = sum((m) => m.tokens ** 2), ny = sum((m) => m.items * m.time);
    const ty = sum((m) => m.tokens * m.time), determinant = nn * tt - nt * nt;
    if (determinant > 1e-9 * nn * tt) {
      const each = (ny * tt - ty * nt) / determinant, token = (ty * nn - ny * nt) / determinant;
      if (each >= 0 && token >= 0) return each * items + token * tokens;
    }
    return tt === 0 ? 0 : ty / tt * tokens; // of one length all alike, or too noisy: in proportion
  }
}
