/** After so long the start of the output is no longer in sight, s. */
const LONG = 60;

/**
 * Warnings of a program. A short one shows each once, at its end; a long one also while it runs, since
 * nobody waits for its end to learn that something is wrong.
 */
export class Warnings {
  /** All of them, each once, in order. */
  readonly texts: string[] = [];
  readonly #began = performance.now();
  readonly #show: (text: string) => void;
  #shown = 0;

  constructor(show: (text: string) => void) {
    this.#show = show;
  }

  /** Adds one, unless it is there. */
  add(text: string): void {
    if (!this.texts.includes(text)) this.texts.push(text);
    this.tick();
  }

  /** Shows what is new, once the program has run for a while. */
  tick(): void {
    if (performance.now() - this.#began > 1000 * LONG) this.flush();
  }

  /** Shows what nobody has seen yet: the program fails or stops. */
  flush(): void {
    while (this.#shown < this.texts.length) this.#show(this.texts[this.#shown++]!);
  }

  /** Shows all of them, below a line that counts them: the program ends. */
  end(note: (text: string) => void): void {
    const { length } = this.texts;
    if (length > 0) note(`\n${length} warning${length === 1 ? "" : "s"}:`);
    this.texts.forEach(this.#show);
    this.#shown = length;
  }
}
