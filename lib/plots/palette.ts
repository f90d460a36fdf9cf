/** A colour on white, and its sister on black. */
export interface SeriesColour {
  /** `#rrggbb` on a light ground; what figures hold. */
  readonly light: string;
  /** `#rrggbb` on a dark ground. */
  readonly dark: string;
}

/**
 * Colours of series, chosen so that they stay apart for readers with protanopia, deuteranopia and
 * tritanopia (simulated after Machado, Oliveira and Fernandes, 2009: ΔE of at least 30 on light and
 * 25 on dark ground).
 */
export const PALETTE = {
  policy: { light: "#0072b2", dark: "#56b4e9" },
  zero: { light: "#a6a6a6", dark: "#7d828c" },
  mean: { light: "#e69f00", dark: "#f0c030" },
  holdLast: { light: "#8c2d04", dark: "#e0643c" },
  truth: { light: "#222222", dark: "#eeeeee" },
} as const satisfies Record<string, SeriesColour>;
