import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type CommonFlags, parseCommand } from "./_parse.ts";
import type { Flag } from "./flag.ts";
import { printable } from "../formats/printable.ts";
import { ProgressLine } from "./progress_line.ts";
import { colour, writeText } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

/** The flags of a command by their camelCase names. */
export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** The values of the flags of a command, with those that every command has. */
export type FlagValues<F extends Flags> =
  & { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never }
  & CommonFlags;

/** What a command finds around it while it runs. */
export interface CommandContext {
  /** Arguments that are not flags. */
  readonly arguments: readonly string[];
  /** Names of the flags that were given, in camelCase; the others have their defaults. */
  readonly given: ReadonlySet<string>;
  /**
   * Aborted by the first Ctrl-C or a request to end. A command that has looked at it is given the
   * time to save its state; one that has not is ended at once. The second Ctrl-C always ends it.
   */
  readonly signal: AbortSignal;
  /** Prints a result for people: standard output, or standard error under `--json`. */
  print(text: string): void;
  /** Prints a remark on standard error, unless `--quiet`. */
  note(text: string): void;
  /** Prints a warning on standard error. */
  warn(text: string): void;
  /** The progress line of this command; remarks and warnings do not tear it. */
  readonly progress: ProgressLine;
}

/** How a command ended. */
export interface CommandResult {
  /** The document that `--json` prints. */
  readonly document?: unknown;
  /** 0 done (the default), 1 the work failed or a check found something, 130 interrupted elsewhere. */
  readonly exitCode?: 0 | 1 | 130;
}

/** A command of the toolkit: name, flags, and what it does. */
export interface CommandDefinition<F extends Flags> {
  /** As in `deno task <name>`. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** Shown below the flags in `--help`: notes, examples. */
  readonly details?: string;
  /** Arguments that are not flags, e.g. `PATH` or `[NAME...]`; default none. */
  readonly arguments?: string;
  /** Flags by camelCase name; `--kebab-case` and `--snake_case` are both accepted. */
  readonly flags: F;
  /** Other names of flags, by camelCase: `{ fusion: "fusionStrategy" }` makes `--fusion` the same. */
  readonly aliases?: Readonly<Record<string, keyof F & string>>;
  /** Does the work. */
  readonly run: (
    flags: FlagValues<F>,
    context: CommandContext,
  ) => Promise<CommandResult | void> | CommandResult | void;
}

const INTERRUPTED = 130;
/** Signals closer together than this are one. */
const SAME_INTERRUPT_MS = 500;

/**
 * Runs a command with the arguments of this process, and ends the process: 0 done, 1 failed,
 * 2 wrong usage, 130 interrupted.
 *
 * @param definition the command
 * @param args default the arguments of this process
 *
 * @example
 * ```ts
 * import { integerFlag, runCommand } from "./mod.ts";
 * // A script calls it at its top level.
 * export async function main(): Promise<never> {
 *   return await runCommand({
 *     name: "count",
 *     summary: "Counts.",
 *     flags: { upTo: integerFlag("last number", { default: 3, min: 1 }) },
 *     run: ({ upTo }, { print }) => {
 *       for (let i = 1; i <= upTo; i++) print(String(i));
 *       return { document: { upTo } };
 *     },
 *   });
 * }
 * ```
 */
export async function runCommand<const F extends Flags>(
  definition: CommandDefinition<F>,
  args: readonly string[] = Deno.args,
): Promise<never> {
  goWhereTheUserIs();
  let verbose = args.includes("--verbose");
  const interrupt = new Interrupt();
  try {
    const parsed = parseCommand(definition, args);
    if ("help" in parsed) {
      writeText(Deno.stdout, parsed.help);
      Deno.exit(0);
    }
    const { values } = parsed;
    verbose = values.verbose;
    if (values.json) keepStandardOutputClean();
    using progress = new ProgressLine({ quiet: values.quiet });
    const context = createContext(parsed, values, progress, interrupt);
    const result = await definition.run(values as FlagValues<F>, context) ?? {};
    progress.clear();
    if (values.json && result.document !== undefined) {
      writeText(Deno.stdout, JSON.stringify(result.document, null, 2) + "\n");
    }
    Deno.exit(interrupt.happened ? INTERRUPTED : result.exitCode ?? 0);
  } catch (error) {
    const isStopped = interrupt.happened && isAbort(error, interrupt.signal);
    Deno.exit(report(definition.name, error, verbose, isStopped));
  }
}

/** Whether an error is nothing but the end of what was interrupted. */
function isAbort(error: unknown, { reason }: AbortSignal): boolean {
  return error === reason || (error instanceof Error && (error.name === "AbortError" ||
    error.cause === reason && reason !== undefined));
}

/** `deno task` starts in the project's folder; paths are meant from where it was called. */
function goWhereTheUserIs(): void {
  const from = Deno.env.get("INIT_CWD");
  const project = fileURLToPath(new URL("../..", import.meta.url));
  if (from !== undefined && resolve(Deno.cwd()) === resolve(project)) Deno.chdir(from);
}

function createContext(
  { arguments: rest, given }: Pick<CommandContext, "arguments" | "given">,
  { json, quiet }: CommonFlags,
  progress: ProgressLine,
  interrupt: Interrupt,
): CommandContext {
  const toError = (text: string) => {
    progress.clear();
    writeText(Deno.stderr, `${text}\n`);
  };
  return {
    arguments: rest,
    given,
    get signal() {
      return interrupt.signal;
    },
    print: (text) => {
      if (json) return quiet ? undefined : toError(text);
      progress.clear();
      writeText(Deno.stdout, `${text}\n`);
    },
    note: (text) => quiet ? undefined : toError(printable(text, { lines: true })),
    warn: (text) => toError(`${colour("yellow", "warning")}: ${printable(text, { lines: true })}`),
    progress,
  };
}

/** Prints one readable message, and says with which code to end. */
function report(name: string, error: unknown, verbose: boolean, interrupted: boolean): number {
  const reason = error instanceof Error ? error : new Error(String(error));
  const isUsage = reason instanceof UsageError;
  if (interrupted && !isUsage) {
    writeText(Deno.stderr, `${name}: interrupted.\n`);
    if (verbose) writeText(Deno.stderr, `${describe(reason)}\n`);
    return INTERRUPTED;
  }
  const text = verbose ? describe(reason) : reason.message || reason.name;
  const help = isUsage ? `\nSee: deno task ${name} --help` : "";
  const shown = printable(text, { lines: true });
  writeText(Deno.stderr, `${colour("red", "error")}: ${shown}${help}\n`);
  return isUsage ? 2 : 1;
}

function describe(error: Error): string {
  const cause = error.cause instanceof Error ? `\nCaused by: ${describe(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}

/** Libraries that chat on the console must not get between the reader and the document. */
function keepStandardOutputClean(): void {
  console.log =
    console.info =
    console.debug =
    console.dir =
    console.table =
      console.error;
}

/** Ctrl-C and requests to end: the first aborts a signal if anybody looks at it. */
class Interrupt {
  readonly #controller = new AbortController();
  #watched = false;
  #at = 0;
  happened = false;

  constructor() {
    const signals = Deno.build.os === "windows"
      ? ["SIGINT", "SIGBREAK"] as const
      : ["SIGINT", "SIGTERM"] as const;
    for (const signal of signals) Deno.addSignalListener(signal, () => this.#interrupt());
  }

  get signal(): AbortSignal {
    this.#watched = true;
    return this.#controller.signal;
  }

  #interrupt(): void {
    // One Ctrl-C comes twice under a task runner: from the terminal, and passed on by the runner.
    if (this.happened && performance.now() - this.#at < SAME_INTERRUPT_MS) return;
    this.#at = performance.now();
    if (!this.#watched || this.happened) {
      writeText(Deno.stderr, "\ninterrupted.\n");
      Deno.exit(INTERRUPTED);
    }
    this.happened = true;
    writeText(Deno.stderr, "\nInterrupted: ending in order; Ctrl-C again ends at once.\n");
    this.#controller.abort(new Error("interrupted"));
  }
}
