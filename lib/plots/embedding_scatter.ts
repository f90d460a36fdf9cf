import { compact } from "./_compact.ts";
import type { Figure } from "./figure.ts";
import { streamStyle } from "./time_series.ts";

/** What {@linkcode embeddingScatter} draws. */
export interface EmbeddingInput {
  /** `(n,)` first component. */
  readonly x: ArrayLike<number>;
  /** `(n,)` second component. */
  readonly y: ArrayLike<number>;
  /** `(n,)` what each point belongs to. */
  readonly labels: readonly string[];
  /** Titles of the axes; default "component 1" and "component 2". */
  readonly axes?: readonly [string, string];
  /** Heading; default "Embedding". */
  readonly title?: string;
}

/**
 * Points of an embedding, coloured and shaped by what they belong to.
 *
 * @param input points and labels
 * @returns the figure
 * @throws {RangeError} if there are not as many labels as points
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embeddingScatter } from "./mod.ts";
 *
 * const { data } = embeddingScatter({ x: [0, 1], y: [0, 1], labels: ["free", "contact"] });
 * assert.deepEqual(data.map(({ name }) => name), ["free", "contact"]);
 * ```
 */
export function embeddingScatter(input: EmbeddingInput): Figure {
  const { x, y, labels, axes = ["component 1", "component 2"] } = input;
  if (x.length !== y.length || x.length !== labels.length) {
    throw new RangeError(
      `Cannot draw an embedding: x, y and labels must be equally many, current values are ` +
        `${x.length}, ${y.length} and ${labels.length}.`,
    );
  }
  const names = [...new Set(labels)];
  return {
    data: names.map((name, i) => {
      const rows = labels.flatMap((label, row) => label === name ? [row] : []);
      return {
        type: "scatter",
        mode: "markers",
        name,
        x: compact(rows.map((row) => x[row]!), 4),
        y: compact(rows.map((row) => y[row]!), 4),
        marker: { ...streamStyle(i).marker, size: 6 },
        opacity: 0.75,
      };
    }),
    layout: {
      title: { text: input.title ?? "Embedding" },
      height: 420,
      xaxis: { title: { text: axes[0] } },
      yaxis: { title: { text: axes[1] } },
    },
  };
}
