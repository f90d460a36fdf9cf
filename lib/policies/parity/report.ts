import type { ParityCheck } from "./check.ts";

/** The checks of one fixture. */
export interface FixtureReport {
  /** Path of the file. */
  readonly file: string;
  /** What the expert predicts with. */
  readonly family: string;
  /** How features are joined. */
  readonly fusion: string;
  /** One entry per kind of result and way of running. */
  readonly checks: readonly ParityCheck[];
}

/** What `deno task parity` prints with `--json`. */
export interface ParityReport {
  /** Whether all checks passed. */
  readonly pass: boolean;
  /** What computed. */
  readonly engine: string;
  /** Largest absolute difference of all checks; null if one is not finite. */
  readonly maxAbs: number | null;
  /** One entry per file. */
  readonly fixtures: readonly FixtureReport[];
}

/**
 * Joins the checks of all fixtures.
 *
 * @param engine What computed.
 * @param fixtures Checks by file.
 * @returns The report.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compareTensors, parityReport } from "./mod.ts";
 *
 * const checks = [compareTensors("loss", [{ key: "loss", found: [1], expected: [2] }])];
 * const fixture = { file: "a.json", family: "regression", fusion: "none", checks };
 * assert.equal(parityReport("wasm", [fixture]).pass, false);
 * ```
 */
export function parityReport(engine: string, fixtures: readonly FixtureReport[]): ParityReport {
  const all = fixtures.flatMap(({ checks }) => checks);
  const differences = all.map(({ maxAbs }) => maxAbs);
  return {
    pass: all.length > 0 && all.every(({ pass }) => pass),
    engine,
    maxAbs: differences.includes(null) ? null : Math.max(0, ...differences as number[]),
    fixtures,
  };
}

/**
 * The rows of a table with one line per check.
 *
 * @param report The report.
 * @param all Whether checks that passed are listed one by one; otherwise each file has one line.
 * @returns Cells, the first row a heading.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parityReport, parityRows } from "./mod.ts";
 *
 * assert.equal(parityRows(parityReport("wasm", []), true).length, 1);
 * ```
 */
export function parityRows(report: ParityReport, all: boolean): (string | number)[][] {
  const rows: (string | number)[][] = [["fixture", "check", "max abs", "max rel", "allowed", ""]];
  for (const { file, checks } of report.fixtures) {
    const name = file.split(/[/\\]/).at(-1)!;
    const shown = checks.filter(({ pass }) => all || !pass);
    for (const check of shown) {
      const { maxAbs, maxRel, tolerance, pass, worst } = check;
      rows.push([
        ...[name, check.name, short(maxAbs), short(maxRel), short(tolerance)],
        pass ? "ok" : `FAILED at ${worst}`,
      ]);
    }
    if (shown.length > 0) continue;
    const largest = checks.reduce((a, b) =>
      b.maxAbs! / b.tolerance > a.maxAbs! / a.tolerance ? b : a
    );
    rows.push([
      ...[name, `${checks.length} checks, worst: ${largest.name}`],
      ...[short(largest.maxAbs), short(largest.maxRel), short(largest.tolerance), "ok"],
    ]);
  }
  return rows;
}

function short(value: number | null): string {
  return value === null ? "–" : value === 0 ? "0" : value.toExponential(1);
}
