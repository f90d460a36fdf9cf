import { csvError, shown } from "./_csv_error.ts";
import { type CsvRecord } from "./_csv_record.ts";
import { nearestName } from "./_nearest_name.ts";

/** Which fields of a record go where. */
export interface CsvPlan {
  readonly header: readonly string[];
  /** The columns to read, in the order in which the caller will find them. */
  readonly names: readonly string[];
  /** For each field the index in `names`, or −1 for a column nobody wants. */
  readonly slots: Int32Array;
}

/** Control characters, and the byte order mark of another file that was joined to this one. */
const INVISIBLE = /[\p{Cc}\uFEFF]/u;

/** The names in the record on line `line`. */
export function readHeader(record: CsvRecord, line: number): string[] {
  const { name } = record;
  const fieldOf = new Map<string, number>();
  for (let field = 0; field < record.count; field++) {
    const place = { name, line, column: field + 1 };
    const text = record.text(field, true);
    if (text === undefined) {
      csvError(place, "the name of a column should be UTF-8", shown(record.latin1(field)));
    }
    if (INVISIBLE.test(text.replaceAll("\t", ""))) {
      const next = text.includes("\r") ? "Lines should end in \\n or \\r\\n." : "";
      csvError(place, "the name of a column should hold no control characters", shown(text), next);
    }
    const first = fieldOf.get(text);
    if (first !== undefined) {
      const next = `Column ${first + 1} has it too: rename one of them.`;
      csvError(place, "no two columns should have the same name", shown(text), next);
    }
    fieldOf.set(text, field);
  }
  return [...fieldOf.keys()];
}

/** Finds the wanted columns in the header. */
export function planColumns(
  header: readonly string[],
  wanted: readonly string[] | undefined,
  optional: readonly string[] | undefined,
  place: { name: string; line: number },
): CsvPlan {
  const there = new Set(header);
  const missing = wanted?.filter((column) => !there.has(column)) ?? [];
  if (missing.length > 0) {
    const near = nearestName(missing[0]!, header);
    const meant = near === undefined ? "" : ` Did you mean ${shown(near)}?`;
    const only = header.length === 1 && /[;\t|]/.test(header[0]!);
    const comma = only ? " Fields should be separated by commas." : "";
    csvError(
      place,
      `it should have the column${missing.length > 1 ? "s" : ""} ${missing.map(shown).join(", ")}`,
      `the header ${shownList(header)}`,
      `${meant}${comma}`.trim(),
    );
  }
  const asked = wanted === undefined && optional === undefined
    ? header
    : [...wanted ?? [], ...(optional ?? []).filter((column) => there.has(column))];
  const names = [...new Set(asked)];
  const slotOf = new Map(names.map((column, slot) => [column, slot]));
  return { header, names, slots: Int32Array.from(header, (column) => slotOf.get(column) ?? -1) };
}

const MOST_SHOWN = 40;

function shownList(names: readonly string[]): string {
  const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : "";
  return names.slice(0, MOST_SHOWN).map(shown).join(", ") + more;
}
