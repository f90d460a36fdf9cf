import { compact, largestOf } from "./_compact.ts";
import type { Figure } from "./figure.ts";
import { PALETTE } from "./palette.ts";
import { streamStyle } from "./time_series.ts";

/** What {@linkcode latencyScaling} draws. */
export interface LatencyScalingInput {
  /** Measurements, a colour and symbol for each group of them. */
  readonly groups: readonly {
    /** Name in the legend, such as a resolution. */
    readonly name: string;
    /** `(n,)` visual tokens. */
    readonly tokens: ArrayLike<number>;
    /** `(n,)` latencies, ms. */
    readonly milliseconds: ArrayLike<number>;
  }[];
  /** A line through all of them; default none. */
  readonly fit?: {
    /** Latency without tokens, ms. */
    readonly baseMs: number;
    /** What a token adds, ms. */
    readonly perTokenMs: number;
  };
  /** Default "Latency of the vision-language model". */
  readonly title?: string;
}

/**
 * Latency against the number of visual tokens, and the line through it.
 *
 * @param input measurements and line
 * @returns the figure
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { latencyScaling } from "./mod.ts";
 *
 * const { data } = latencyScaling({
 *   groups: [{ name: "640×360", tokens: [598, 1495], milliseconds: [164, 381] }],
 *   fit: { baseMs: 20, perTokenMs: 0.25 },
 * });
 * assert.equal(data[0]!.name, "20 + 0.25 · tokens");
 * assert.deepEqual(data[0]!.y, [20, 393.75]);
 * ```
 */
export function latencyScaling(
  { groups, fit, title = "Latency of the vision-language model" }: LatencyScalingInput,
): Figure {
  const most = groups.reduce((most, { tokens }) => largestOf(Array.from(tokens), most), 0);
  const ends = [0, most];
  return {
    data: [
      ...(fit === undefined ? [] : [{
        type: "scatter" as const,
        mode: "lines" as const,
        name: `${Number(fit.baseMs.toFixed(1))} + ${Number(fit.perTokenMs.toFixed(3))} · tokens`,
        x: ends,
        y: compact(ends.map((tokens) => fit.baseMs + fit.perTokenMs * tokens)),
        line: { color: PALETTE.zero.light, width: 1.5, dash: "dash" as const },
      }]),
      ...groups.map(({ name, tokens, milliseconds }, i) => ({
        type: "scatter" as const,
        mode: "markers" as const,
        name,
        x: compact(Array.from(tokens)),
        y: compact(Array.from(milliseconds)),
        marker: { ...streamStyle(i).marker, size: 9 },
      })),
    ],
    layout: {
      title: { text: title },
      xaxis: { title: { text: "visual tokens" }, rangemode: "tozero" },
      yaxis: { title: { text: "latency (ms)" }, rangemode: "tozero" },
    },
  };
}
