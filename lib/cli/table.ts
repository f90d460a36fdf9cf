/**
 * Writes rows as a table of aligned columns: numbers to the right, text to the left.
 *
 * @param rows the cells; the first row may be a heading
 * @returns lines without trailing blanks, joined by line breaks; empty for no rows
 *
 * @example
 * ```ts
 * import { formatTable } from "./mod.ts";
 * console.log(formatTable([["name", "MB"], ["cc", 788], ["framework", 65]]));
 * // name        MB
 * // cc         788
 * // framework   65
 * ```
 */
export function formatTable(rows: readonly (readonly (string | number)[])[]): string {
  const columns = largest(rows, (row) => row.length);
  const cells = rows.map((row) =>
    Array.from({ length: columns }, (_, column) => String(row[column] ?? ""))
  );
  const widths = Array.from(
    { length: columns },
    (_, column) => largest(cells, (row) => [...row[column]!].length),
  );
  const isNumeric = Array.from(
    { length: columns },
    (_, column) => rows.some((row) => typeof row[column] === "number"),
  );
  return cells.map((row) =>
    row.map((cell, column) => {
      const pad = " ".repeat(widths[column]! - [...cell].length);
      return isNumeric[column] ? pad + cell : cell + pad;
    }).join("  ").trimEnd()
  ).join("\n");
}

/** As `Math.max`, which cannot take a hundred thousand arguments. */
function largest<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((most, item) => Math.max(most, size(item)), 0);
}
