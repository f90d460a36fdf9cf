import type { Command, Help } from "commander";

/** Widest line of a help text, in columns. */
const WIDTH = 100;
/** Narrower terminals are not obeyed: nothing would fit. */
const LEAST_WIDTH = 60;
/** Longer flags have a line of their own. */
const TERM_WIDTH = 30;
const INDENT = 2, GAP = 2;

/** Columns that a help text may take: those of the terminal, at most 100. */
export function helpWidth(): number {
  try {
    const { columns } = Deno.consoleSize();
    return Deno.stdout.isTerminal() ? Math.max(LEAST_WIDTH, Math.min(WIDTH, columns)) : WIDTH;
  } catch {
    return WIDTH; // no terminal at all
  }
}

/** How commander lays out the list of flags: one long list of choices does not widen all lines. */
export const HELP_LAYOUT = {
  padWidth: (command: Command, helper: Help) =>
    Math.min(TERM_WIDTH, helper.longestOptionTermLength(command, helper)),
  formatItem: (term: string, termWidth: number, description: string, helper: Help) => {
    const width = helper.helpWidth ?? WIDTH, column = INDENT + termWidth + GAP;
    const texts = wrapWords(description, width - column);
    const terms = wrapTerm(term, width - INDENT - GAP);
    const isShort = terms.length === 1 && term.length <= termWidth;
    const first = isShort ? [term.padEnd(termWidth + GAP) + (texts.shift() ?? "")] : terms;
    return [
      ...first.map((line) => (" ".repeat(INDENT) + line).trimEnd()),
      ...texts.map((line) => " ".repeat(column) + line),
    ].join("\n");
  },
} as const;

/**
 * Breaks lines that are too long between words. What follows hangs below the line's last column, where
 * two blanks or more separate columns, else below its beginning.
 */
export function wrapLines(text: string, width: number): string {
  return text.split("\n").map((line) => {
    if ([...line].length <= width) return line;
    const head = /^.*\s{2,}(?=\S)/.exec(line.slice(0, width / 2))?.[0] ?? /^\s*/.exec(line)![0];
    const hanging = " ".repeat([...head].length);
    return wrapWords(line.slice(head.length), width - hanging.length)
      .map((part, k) => (k === 0 ? head : hanging) + part).join("\n");
  }).join("\n");
}

function wrapWords(text: string, width: number): string[] {
  return wrap(text.split(/\s+/), " ", width);
}

/** `--to <a|b|c>`, broken after bars. */
function wrapTerm(term: string, width: number): string[] {
  const [first = "", ...rest] = wrap(term.split("|"), "|", width);
  const hanging = " ".repeat(term.indexOf("<") + 1);
  const broken = rest.length === 0 ? [first] : [
    first,
    ...wrap(rest.join("|").split("|"), "|", width - hanging.length)
      .map((part) => hanging + part),
  ];
  return broken.map((part, k) => k < broken.length - 1 ? `${part}|` : part);
}

function wrap(parts: readonly string[], joint: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const longer = lines.length === 0 ? part : `${lines.at(-1)}${joint}${part}`;
    if (lines.length > 0 && [...longer].length <= width) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}
