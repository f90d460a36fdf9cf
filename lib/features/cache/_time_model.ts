/**
 * How long making features takes, as a linear model of their number and of the tokens that are computed:
 * least squares over what was measured.
 */
export class TimeModel {
  readonly #measured: { readonly items: number; readonly tokens: number; readonly time: number }[] =
    [];

  /**
   * Notes a measurement.
   *
   * @param items features that were made
   * @param tokens that were computed for them
   * @param time s
   */
  add(items: number, tokens: number, time: number): void {
    if (items > 0) this.#measured.push({ items, tokens, time });
  }

  /** Seconds that a feature took lately; infinite before the first. */
  get each(): number {
    const last = this.#measured.at(-1);
    return last === undefined ? Infinity : last.time / last.items;
  }

  /**
   * Time that features will take. What was measured first, where a model is compiled, counts only if
   * there is nothing else.
   *
   * @param items features
   * @param tokens that are computed for them
   * @returns s; 0 where nothing was measured
   */
  seconds(items: number, tokens: number): number {
    const all = this.#measured, used = all.length > 1 ? all.slice(1) : all;
    const sum = (of: (m: typeof used[number]) => number) =>
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
