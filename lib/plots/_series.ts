import type { LineStyle, MarkerStyle } from "./figure.ts";
import { PALETTE } from "./palette.ts";

/** Who a series belongs to decides on its colour, dash and symbol in every figure. */
export type SeriesRole = keyof typeof PALETTE;

/** Colour, dash and symbol of a role. */
export function styleOf(role: SeriesRole): { line: LineStyle; marker: MarkerStyle } {
  const color = PALETTE[role].light;
  const dash = ({
    policy: "solid",
    zero: "dot",
    mean: "dashdot",
    holdLast: "dash",
    truth: "solid",
  } as const)[role];
  const symbol = ({
    policy: "circle",
    zero: "square",
    mean: "diamond",
    holdLast: "triangle-up",
    truth: "circle",
  } as const)[role];
  return { line: { color, dash, width: role === "policy" ? 2.5 : 2 }, marker: { color, symbol } };
}
