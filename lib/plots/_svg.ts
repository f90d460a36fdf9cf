import { escapeHtml } from "./_html.ts";
import { COLOURS } from "./palette.ts";

/** Colours of grounds, axes and texts. */
export const GROUND = { light: "#ffffff", dark: "#16181d" } as const;
const TEXT = { light: "#1c1f24", dark: "#e4e6ea" }, GRID = { light: "#e3e5e8", dark: "#31353d" };
const AXIS = { light: "#444444", dark: "#b9bec7" };

/** An element with its attributes; text is escaped, undefined attributes are left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  text?: string,
): string {
  const list = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`).join("");
  return text === undefined ? `<${name}${list}/>` : `<${name}${list}>${escapeXml(text)}</${name}>`;
}

/** Text that is neither markup nor the end of an attribute. */
export function escapeXml(text: string): string {
  // deno-lint-ignore no-control-regex -- XML forbids them, however they are written.
  const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
  return escapeHtml(text).replace(forbidden, "\ufffd");
}

/** Average width of a character of 12 pixels. */
export const CHARACTER = 6.6;

/** A length in pixels with at most one decimal. */
export function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Class of a colour that has a sister on dark ground. */
export function colourClass(what: "fill" | "stroke", colour: string): string | undefined {
  const name = [...COLOURS].find(([, { light }]) => light === colour)?.[0];
  return name === undefined ? undefined : `${what}-${name}`;
}

/** The style sheet of a figure: fonts, and the colours on dark ground. */
export function styleSheet(): string {
  const series = [...COLOURS].map(([name, { dark }]) =>
    `.trocar-figure .fill-${name}{fill:${dark}}.trocar-figure .stroke-${name}{stroke:${dark}}`
  ).join("");
  return `<style>.trocar-figure text{font:12px system-ui,sans-serif;fill:${TEXT.light}}` +
    `.trocar-figure .title{font-size:14px;font-weight:600}` +
    `@media screen and (prefers-color-scheme:dark){` +
    `.trocar-figure text{fill:${TEXT.dark}}.trocar-figure .ground{fill:${GROUND.dark}}` +
    `.trocar-figure .grid{stroke:${GRID.dark}}.trocar-figure .axis{stroke:${AXIS.dark}}` +
    `${series}}</style>`;
}

/** Attributes of lines behind the data. */
export const GRID_LINE = { class: "grid", stroke: GRID.light, "stroke-width": 1 } as const;
/** Attributes of axes. */
export const AXIS_LINE = { class: "axis", stroke: AXIS.light, "stroke-width": 1 } as const;
