import { compact, largestOf } from "./_compact.ts";
import type { Figure } from "./figure.ts";
import { PALETTE } from "./palette.ts";
import { streamStyle } from "./time_series.ts";

/** Windows in which draws lie about equally far apart. */
export interface SpreadBin {
  /** RMSE that the spread promises. */
  readonly expected: number;
  /** RMSE that was found. */
  readonly rmse: number;
}

/**
 * Spread of a policy's draws against its errors: on the dashed line it is as wrong as it says, above it
 * is too sure.
 *
 * @param bins from `calibration` of `trocar/evaluation`
 * @param options `unit` of the errors, default "mm"; `title`, default "Spread and error"
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { spreadAgainstError } from "./mod.ts";
 *
 * const { data, layout } = spreadAgainstError([{ expected: 0.1, rmse: 0.2 }]);
 * assert.deepEqual(data.map(({ y }) => y), [[0.2], [0, 0.2]]);
 * assert.match(layout.xaxis!.title!.text, /\(mm\)$/);
 * ```
 */
export function spreadAgainstError(
  bins: readonly SpreadBin[],
  options: { readonly unit?: string; readonly title?: string } = {},
): Figure {
  const { unit = "mm", title = "Spread and error" } = options;
  const [most = 1] = compact([
    largestOf(bins.flatMap(({ expected, rmse }) => [expected, rmse]), -Infinity),
  ]);
  return {
    data: [
      {
        type: "scatter",
        mode: "lines+markers",
        name: "policy",
        x: compact(bins.map(({ expected }) => expected)),
        y: compact(bins.map(({ rmse }) => rmse)),
        line: { color: PALETTE.policy.light, width: 1.6 },
        marker: { color: PALETTE.policy.light, size: 8, symbol: "circle" },
      },
      {
        type: "scatter",
        mode: "lines",
        name: "as wrong as it says",
        x: [0, most],
        y: [0, most],
        line: { color: PALETTE.truth.light, width: 1.5, dash: "dash" },
      },
    ],
    layout: {
      title: { text: title },
      width: 520,
      height: 420,
      xaxis: { title: { text: `error that the draws promise (${unit})` }, rangemode: "tozero" },
      yaxis: { title: { text: `RMSE of the mean draw (${unit})` }, rangemode: "tozero" },
    },
  };
}

/** A variant in a trade-off. */
export interface TradeOffPoint {
  /** Name in the legend; points of the same name look alike. */
  readonly name: string;
  /** What it costs. */
  readonly cost: number;
  /** How wrong it is. */
  readonly error: number;
}

/** What {@linkcode tradeOff} draws. */
export interface TradeOffInput {
  /** All variants. */
  readonly points: readonly TradeOffPoint[];
  /** Those of them that are worth their cost, the cheapest first; joined by steps. */
  readonly front: readonly TradeOffPoint[];
  /** What a cost is, with its unit. */
  readonly costTitle: string;
  /** What an error is, with its unit. */
  readonly errorTitle: string;
  /** Heading. @default {"Cost and error"} */
  readonly title?: string;
}

/**
 * Cost against error, with the variants that are worth their cost.
 *
 * @param input variants, and `paretoFront` of them
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { tradeOff } from "./mod.ts";
 *
 * const points = [{ name: "one view", cost: 1, error: 3 }, { name: "two", cost: 2, error: 2 }];
 * const { data } = tradeOff({
 *   ...{ points, front: points, costTitle: "cost (views)", errorTitle: "RMSE (mm)" },
 * });
 * assert.deepEqual([data[0]!.x, data[0]!.y], [[1, 2, 2], [3, 3, 2]]);
 * ```
 */
export function tradeOff(input: TradeOffInput): Figure {
  const { points, front, costTitle, errorTitle, title = "Cost and error" } = input;
  const corners = front.flatMap(({ cost, error }, i) =>
    i === 0 ? [[cost, error]] : [[cost, front[i - 1]!.error], [cost, error]]
  );
  return {
    data: [
      {
        type: "scatter",
        mode: "lines",
        name: "worth their cost",
        x: compact(corners.map(([cost]) => cost!)),
        y: compact(corners.map(([, error]) => error!)),
        line: { color: PALETTE.zero.light, width: 1.6, dash: "dash" },
      },
      ...[...Map.groupBy(points, ({ name }) => name)].map(([name, own], i) => ({
        type: "scatter" as const,
        mode: "markers" as const,
        name,
        x: compact(own.map(({ cost }) => cost)),
        y: compact(own.map(({ error }) => error)),
        marker: { ...streamStyle(i).marker, size: 10 },
      })),
    ],
    layout: {
      title: { text: title },
      height: 420,
      xaxis: { title: { text: costTitle }, rangemode: "tozero" },
      yaxis: { title: { text: errorTitle }, rangemode: "tozero" },
    },
  };
}
