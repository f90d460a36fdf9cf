import { Command, CommanderError, Option } from "commander";
import type { CommandDefinition, Flags } from "./command.ts";
import { COMMON_FLAGS } from "./common_flags.ts";
import type { Flag } from "./flag.ts";
import { HELP_LAYOUT, helpWidth, wrapLines } from "./_help.ts";
import { kebab } from "./_kebab.ts";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage_error.ts";

/** The flags that every command has. */
export interface CommonFlags {
  /** Print one JSON document and nothing else on standard output. */
  readonly json: boolean;
  /** Leave out remarks and progress. */
  readonly quiet: boolean;
  /** Show stack traces, and the log of libraries. */
  readonly verbose: boolean;
}

/** What the arguments of a command say. */
export type Parsed =
  | { readonly help: string }
  | {
    readonly values: Readonly<Record<string, unknown>> & CommonFlags;
    readonly arguments: readonly string[];
    /** Names of the flags that were given, in camelCase. */
    readonly given: ReadonlySet<string>;
  };

/**
 * Reads the arguments of a command.
 *
 * @throws {UsageError} naming the flag
 */
export function parseCommand<F extends Flags>(
  definition: CommandDefinition<F>,
  args: readonly string[],
): Parsed {
  const flags: Flags = { ...definition.flags, ...COMMON_FLAGS };
  const names = new Map(Object.keys(flags).map((key) => [kebab(key), key]));
  const command = createCommand(definition, flags);
  const aliases = Object.entries(definition.aliases ?? {}).map(([other, key]) =>
    [kebab(other), kebab(key)] as const
  );
  const words = withKebabNames(
    args,
    new Map([...[...names.keys()].map((name) => [name, name] as const), ...aliases]),
  );
  refuseFlagsAsValues(words, flags, names);
  try {
    command.parse(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return { help: command.helpInformation() };
    throw usageError(error, [...names.keys(), "help"]);
  }
  const given = command.opts<Record<string, unknown>>();
  const values: Record<string, unknown> = {};
  for (const [name, key] of names) {
    const flag = flags[key]!;
    const value = given[key];
    values[key] = value === undefined
      ? flag.fallback
      : flag.parse(`--${name}`, Array.isArray(value) ? value : [String(value)]);
  }
  return {
    values: values as Readonly<Record<string, unknown>> & CommonFlags,
    arguments: command.args,
    given: new Set(Object.keys(given)),
  };
}

function createCommand<F extends Flags>(definition: CommandDefinition<F>, flags: Flags): Command {
  const command = new Command(`deno task ${definition.name}`)
    .description(definition.summary)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {}, getOutHelpWidth: helpWidth })
    .configureHelp(HELP_LAYOUT)
    .showSuggestionAfterError(false)
    .allowExcessArguments(false)
    .helpOption("-h, --help", "print this text");
  if (definition.arguments !== undefined) command.arguments(definition.arguments);
  for (const [key, flag] of Object.entries(flags)) {
    const others = Object.entries(definition.aliases ?? {}).filter(([, name]) => name === key);
    command.addOption(createOption(key, flag, others.map(([other]) => `, also --${kebab(other)}`)));
  }
  const { details } = definition;
  const plain = command.helpInformation.bind(command);
  command.helpInformation = (context) =>
    plain(context) + (details === undefined ? "" : `\n${wrapLines(details, helpWidth())}\n`);
  return command;
}

function createOption(key: string, flag: Flag<unknown>, others: readonly string[]): Option {
  const value = { switch: "", value: ` <${flag.placeholder}>`, list: ` <${flag.placeholder}...>` };
  const option = new Option(
    `--${kebab(key)}${value[flag.kind]}`,
    `${flag.summary} (default: ${flag.fallbackText}${others.join("")})`,
  );
  option.attributeName = () => key;
  option.negate = false; // `--no-peer` is a flag of that name, not the opposite of `--peer`
  return option;
}

/**
 * `--batch_size` → `--batch-size`, where that is a flag, and other names of a flag to its own; a leading
 * `--` of a runner is dropped.
 */
function withKebabNames(args: readonly string[], names: ReadonlyMap<string, string>): string[] {
  const all = args[0] === "--" ? args.slice(1) : [...args];
  const end = all.indexOf("--");
  return all.map((arg, index) => {
    if (!arg.startsWith("--") || (end >= 0 && index >= end)) return arg;
    const equals = arg.indexOf("=");
    const name = arg.slice(2, equals < 0 ? undefined : equals).replaceAll("_", "-");
    const known = names.get(name);
    return known === undefined ? arg : `--${known}${equals < 0 ? "" : arg.slice(equals)}`;
  });
}

/** `--output --json` forgets a value: commander would take `--json` for it. */
function refuseFlagsAsValues(
  words: readonly string[],
  flags: Flags,
  names: ReadonlyMap<string, string>,
): void {
  const isFlag = (word: string) => word.startsWith("--") && names.has(word.slice(2).split("=")[0]!);
  for (const [index, word] of words.entries()) {
    if (word === "--") return;
    const next = words[index + 1];
    if (!isFlag(word) || word.includes("=") || next === undefined || !isFlag(next)) continue;
    const flag = flags[names.get(word.slice(2))!]!;
    if (flag.kind !== "switch") {
      throw new UsageError(`Flag ${word} needs a value: ${word} <${flag.placeholder}>`);
    }
  }
}

/** Says in our own words what commander found. */
function usageError(error: CommanderError, names: readonly string[]): UsageError {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? "";
  if (error.code === "commander.unknownOption") {
    const typed = quoted.replace(/^-+/, "").replace(/=.*/, "");
    const meant = nearest(typed, names);
    if (names.includes(typed)) return new UsageError(`Flag --${typed} takes no value.`);
    const hint = meant === undefined ? "" : `; did you mean --${meant}?`;
    return new UsageError(`Unknown flag ${quoted.replace(/=.*/, "")}${hint}`);
  }
  if (error.code === "commander.optionMissingArgument") {
    return new UsageError(`Flag ${quoted.split(" ")[0]} needs a value: ${quoted}`);
  }
  if (error.code === "commander.missingArgument") {
    return new UsageError(`Argument ${quoted.toUpperCase()} is missing.`);
  }
  const text = error.message.replace(/^error: /, "");
  return new UsageError(text.charAt(0).toUpperCase() + text.slice(1));
}
