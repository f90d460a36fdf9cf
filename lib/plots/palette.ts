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

/**
 * Colours of streams, views and axes, in this order, as far apart as with {@linkcode PALETTE}'s
 * colour-blind readers six can be (ΔE of at least 15 on both grounds). Points have symbols of
 * their own too, and a seventh line another dash.
 */
export const STREAM_COLOURS: readonly SeriesColour[] = [
  PALETTE.policy,
  PALETTE.mean,
  { light: "#1f9d55", dark: "#c7faf9" },
  PALETTE.holdLast,
  { light: "#5d236a", dark: "#c63fe8" },
  PALETTE.zero,
];

/** Every colour of figures, with the class that a style sheet knows it by. */
export const COLOURS: ReadonlyMap<string, SeriesColour> = new Map([
  ...Object.entries(PALETTE),
  ...STREAM_COLOURS.map((colour, i) => [`stream${i}`, colour] as const)
    .filter(([, colour]) => !Object.values<SeriesColour>(PALETTE).includes(colour)),
]);

/**
 * Cividis, a scale of colours whose lightness grows evenly and which readers with and without colour
 * blindness see alike (Nuñez, Anderton and Renslow, 2018): places from 0 to 1 and colours.
 */
export const HEAT_SCALE: readonly (readonly [number, string])[] = [
  "#00204d",
  "#00336f",
  "#39486b",
  "#575c6d",
  "#707173",
  "#8a8779",
  "#a69d75",
  "#c4b56c",
  "#e4cf5b",
  "#ffea46",
].map((colour, i) => [i / 9, colour]);
