import { type Terminal, writeText } from "./terminal.ts";

/** Options of {@linkcode ProgressLine}. */
export interface ProgressLineOptions {
  /** Show nothing; default false. */
  readonly quiet?: boolean;
  /** Default standard error. */
  readonly stream?: Terminal;
  /** Milliseconds between two lines where the stream is not a terminal; default 3000. */
  readonly interval?: number;
  /** Width of the terminal in columns; default its real width. */
  readonly columns?: number;
}

/**
 * A line that tells how far something is: on a terminal one line that is rewritten, elsewhere a
 * plain line every few seconds.
 *
 * @example
 * ```ts
 * import { ProgressLine } from "./mod.ts";
 * using line = new ProgressLine();
 * for (let i = 0; i <= 100; i++) line.update(`reading ${i} %`);
 * ```
 */
export class ProgressLine implements Disposable {
  readonly #stream: Terminal;
  readonly #quiet: boolean;
  readonly #interval: number;
  readonly #columns: number | undefined;
  readonly #live: boolean;
  #shown = "";
  #printed = "";
  #last = -Infinity;
  #pending = "";

  /** @param options where and how often it is shown */
  /**
   * A line that has not been written yet.
   *
   * @param options where it is written, and whether at all
   */
  constructor(options: ProgressLineOptions = {}) {
    this.#stream = options.stream ?? Deno.stderr;
    this.#quiet = options.quiet ?? false;
    this.#interval = options.interval ?? 3000;
    this.#columns = options.columns;
    this.#live = this.#stream.isTerminal() && Deno.env.get("TERM") !== "dumb";
  }

  /**
   * Shows a new text in place of the last one.
   *
   * @param text one line, without a line break
   */
  update(text: string): void {
    if (this.#quiet) return;
    const now = performance.now();
    this.#pending = text;
    if (this.#live) {
      if (now - this.#last < 50) return;
      this.#last = now;
      this.#rewrite(text);
    } else if (now - this.#last >= this.#interval) {
      this.#last = now;
      this.#print(text);
    }
  }

  /** Shows the last text for good and ends the line; the next update begins a new one. */
  done(text: string = this.#pending): void {
    if (this.#quiet || text === "") return;
    if (this.#live) {
      this.#rewrite(text);
      writeText(this.#stream, "\n");
    } else if (text !== this.#printed) this.#print(text);
    this.#shown = this.#pending = this.#printed = "";
    this.#last = -Infinity;
  }

  /** Removes the line from a terminal, so that something else can be printed there. */
  clear(): void {
    if (this.#live && this.#shown !== "") writeText(this.#stream, "\r\x1b[2K");
    this.#shown = "";
  }

  /** Ends the line if one is shown. */
  [Symbol.dispose](): void {
    this.clear();
  }

  #print(text: string): void {
    this.#printed = text;
    writeText(this.#stream, `${text}\n`);
  }

  #rewrite(text: string): void {
    const fitting = [...text].slice(0, this.#width() - 1).join("");
    if (fitting === this.#shown) return;
    this.#shown = fitting;
    writeText(this.#stream, `\r\x1b[2K${fitting}`);
  }

  #width(): number {
    if (this.#columns !== undefined) return this.#columns;
    try {
      return Deno.consoleSize().columns || 80;
    } catch {
      return 80;
    }
  }
}
