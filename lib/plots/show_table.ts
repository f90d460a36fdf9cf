import { largestOf } from "./_compact.ts";
import type { Displayable } from "./show.ts";
import { escapeXml } from "./_svg.ts";

/** A value in a table: numbers stand right, with at most four digits after the point. */
export type Cell = string | number | boolean | null;

/**
 * Shows a table in a notebook, as the last expression of a cell.
 *
 * @param rows the first is the heading; of objects, their keys are
 * @returns what the kernel displays
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { showTable } from "./mod.ts";
 *
 * const media = showTable([{ stream: "robot", Hz: 99.98712, passes: true }])
 *   [Symbol.for("Jupyter.display")]!();
 * assert.equal(media["text/plain"], "stream  Hz       passes\nrobot   99.9871  yes");
 * ```
 */
export function showTable(
  rows: readonly (readonly Cell[] | Readonly<Record<string, Cell>>)[],
): Displayable {
  const first = rows[0];
  const lists = first === undefined || Array.isArray(first)
    ? rows as readonly (readonly Cell[])[]
    : [Object.keys(first), ...rows.map((row) => Object.values(row as Record<string, Cell>))];
  const texts = lists.map((row) => row.map(textOf));
  const widths = (texts[0] ?? []).map((_, c) =>
    largestOf(texts.map((row) => row[c]?.length ?? 0), 0)
  );
  const plain = texts.map((row) =>
    row.map((text, c) => text.padEnd(widths[c] ?? 0)).join("  ").trimEnd()
  );
  return {
    [Symbol.for("Jupyter.display")]: () => ({
      "text/html": htmlOf(lists, texts),
      "text/plain": plain.join("\n"),
    }),
  };
}

function htmlOf(
  cells: readonly (readonly Cell[])[],
  texts: readonly (readonly string[])[],
): string {
  const [heading = [], ...body] = texts;
  const sideOf = (r: number, c: number) => typeof cells[r]?.[c] === "number" ? "right" : "left";
  const place = (tag: string, text: string, r: number, c: number) =>
    `<${tag} style="text-align:${sideOf(r, c)}">${escapeXml(text)}</${tag}>`;
  const head = heading.map((text, c) => place("th", text, 1, c)).join("");
  const lines = body.map((row, r) =>
    `<tr>${row.map((text, c) => place("td", text, r + 1, c)).join("")}</tr>`
  );
  return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${
    lines.join("\n")
  }\n</tbody>\n</table>`;
}

function textOf(value: Cell): string {
  if (value === null) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return "–";
  const text = Number.isInteger(value) ? String(value) : String(Number(value.toFixed(4)));
  return text.replace("-", "−");
}
