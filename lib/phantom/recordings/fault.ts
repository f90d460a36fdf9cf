import { PHANTOM_VIEWS, type PhantomView } from "../scene.ts";
import { PHANTOM_LAYOUT_TRAITS, type PhantomLayout } from "./layout.ts";

/** A number a fault takes: `name=value` or `name:count`. */
export interface FaultQuantity {
  /** Where it is not given. */
  readonly fallback: number;
  /** Smallest value. */
  readonly min: number;
  /** Largest value. */
  readonly max: number;
  /** What it means, or its unit. */
  readonly meaning: string;
}

/** What a kind of fault does and takes. */
export interface FaultTraits {
  /** One line for `--help`. */
  readonly summary: string;
  /** What stands behind `=`: nothing, a number, or the name of a view. */
  readonly value?: FaultQuantity | "view";
  /** What stands behind `:`; none where the fault happens once. */
  readonly count?: FaultQuantity;
  /** Which layouts can show it. */
  readonly appliesTo: (layout: PhantomLayout) => boolean;
}

const anywhere = () => true;
const withSensor = (layout: PhantomLayout) => PHANTOM_LAYOUT_TRAITS[layout].hasSensor;
const withReceiver = (layout: PhantomLayout) => PHANTOM_LAYOUT_TRAITS[layout].receiver !== "none";

const times = (fallback: number, max = 1000): FaultQuantity => {
  return { fallback, min: 1, max, meaning: "how often" };
};
const OFFSET: FaultQuantity = { fallback: 0.04, min: -1e6, max: 1e6, meaning: "seconds" };
const LENGTH: FaultQuantity = { fallback: 0.3, min: 0.05, max: 60, meaning: "seconds" };
const KEPT: FaultQuantity = { fallback: 0.5, min: 0, max: 0.99, meaning: "share of bytes kept" };

/** The view that is missing where none is named. */
export const FALLBACK_VIEW: PhantomView = "View3";

/** The faults that can be put into a recording, by name. */
export const FAULTS = {
  "clock-offset": {
    summary: "the sensor's clock ahead of the robot's",
    value: OFFSET,
    appliesTo: withSensor,
  },
  "clock-offset-camera": {
    summary: "the cameras' clock ahead of the robot's",
    value: OFFSET,
    appliesTo: anywhere,
  },
  "clock-offset-recv": {
    summary: "the receiver's clock ahead of the robot's",
    value: OFFSET,
    appliesTo: withReceiver,
  },
  jitter: {
    summary: "normal noise on the robot's stamps, which stay in order",
    value: { fallback: 0.002, min: 0, max: 1, meaning: "standard deviation, seconds" },
    appliesTo: anywhere,
  },
  gap: {
    summary: "no robot rows for a while",
    value: LENGTH,
    count: times(1),
    appliesTo: anywhere,
  },
  "gap-sensor": {
    summary: "no sensor rows for a while",
    value: LENGTH,
    count: times(1),
    appliesTo: withSensor,
  },
  "gap-camera": {
    summary: "no frames of any camera for a while",
    value: LENGTH,
    count: times(1),
    appliesTo: anywhere,
  },
  "packet-loss": {
    summary: "sensor datagrams of 15 rows lost",
    count: times(10),
    appliesTo: withSensor,
  },
  "frame-loss": { summary: "single frames lost", count: times(10), appliesTo: anywhere },
  duplicates: {
    summary: "robot rows written twice, same time and values",
    count: times(2),
    appliesTo: anywhere,
  },
  "backward-jump": {
    summary: "the robot's clock steps back and goes on from there",
    value: { fallback: 0.5, min: 0.02, max: 3600, meaning: "seconds" },
    count: times(1),
    appliesTo: anywhere,
  },
  "angle-wrap": {
    summary: "the angle a turned so that it crosses ±180 exactly so often",
    count: times(1),
    appliesTo: anywhere,
  },
  "missing-sensor": { summary: "no sensor file", appliesTo: withSensor },
  "missing-view": { summary: "no frames of one camera", value: "view", appliesTo: anywhere },
  "truncated-sensor": { summary: "the sensor file cut short", value: KEPT, appliesTo: withSensor },
  "truncated-csv": {
    summary: "the robot log cut short inside a row",
    value: KEPT,
    appliesTo: anywhere,
  },
  "truncated-image": {
    summary: "image files cut short",
    value: KEPT,
    count: times(1),
    appliesTo: anywhere,
  },
  "blank-cell": { summary: "empty cells in the robot log", count: times(1), appliesTo: anywhere },
  "right-eyes": {
    summary: "right eyes of the stereo cameras recorded too",
    appliesTo: (layout) => PHANTOM_LAYOUT_TRAITS[layout].rightEyes !== "never",
  },
} as const satisfies Record<string, FaultTraits>;

/** Name of a fault. */
export type FaultName = keyof typeof FAULTS;

/** One fault to put into a recording. */
export interface Fault {
  /** Which. */
  readonly name: FaultName;
  /** Its number, in the unit that {@linkcode FAULTS} gives. */
  readonly value?: number;
  /** The camera of `missing-view`. */
  readonly view?: PhantomView;
  /** How often, where it can happen more than once. */
  readonly count?: number;
}

/** Faults that stand for several others. */
export const FAULT_SETS: Readonly<Record<string, readonly Fault[]>> = {
  golden: [
    { name: "gap", value: 0.3, count: 3 },
    { name: "duplicates", count: 2 },
    { name: "angle-wrap", count: 1 },
    { name: "clock-offset", value: 0.04 },
  ],
};

/**
 * Reads a list of faults: `name[=value][:count]`, joined by commas.
 *
 * @param list e.g. `gap=0.5:2,missing-view=View3`; `golden` stands for 3 gaps of 0.3 s, 2
 * duplicates, 1 angle wrap and a sensor clock 40 ms ahead
 * @returns the faults with all defaults filled in
 * @throws {RangeError} for an unknown name, a value out of range, or a name given twice (except
 * `missing-view`)
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseFaults } from "./fault.ts";
 *
 * assert.deepEqual(parseFaults("gap=0.5:2,missing-view=View3"), [
 *   { name: "gap", value: 0.5, count: 2 },
 *   { name: "missing-view", view: "View3" },
 * ]);
 * assert.throws(() => parseFaults("gap=-1"), /from 0.05 to 60/);
 * ```
 */
export function parseFaults(list: string): Fault[] {
  const faults = list.split(",").map((text) => text.trim()).filter((text) => text !== "")
    .flatMap((text) => Object.hasOwn(FAULT_SETS, text) ? FAULT_SETS[text]! : [parseFault(text)]);
  const seen = new Set<string>();
  for (const { name, view } of faults) {
    const key = `${name}${view ?? ""}`;
    if (seen.has(key)) fail(list, `${name} should be named once`, list);
    seen.add(key);
  }
  return faults;
}

function parseFault(text: string): Fault {
  const [, name = "", value, count] = /^([^=:]*)(?:=([^:]*))?(?::(.*))?$/.exec(text) ?? [];
  if (!Object.hasOwn(FAULTS, name)) {
    const known = [...Object.keys(FAULTS), ...Object.keys(FAULT_SETS)];
    fail(text, `its name should be one of ${known.join(", ")}`, name);
  }
  const traits: FaultTraits = FAULTS[name as FaultName];
  if (value !== undefined && traits.value === undefined) {
    fail(text, `${name} takes no value`, value);
  }
  if (count !== undefined && traits.count === undefined) {
    fail(text, `${name} takes no count`, count);
  }
  const fault = {
    name: name as FaultName,
    ...(traits.value === "view"
      ? { view: parseView(text, value) }
      : traits.value && { value: parseNumber(text, traits.value, value, false) }),
    ...(traits.count && { count: parseNumber(text, traits.count, count, true) }),
  };
  return fault;
}

function parseView(text: string, value: string = FALLBACK_VIEW): PhantomView {
  const view = PHANTOM_VIEWS.find((name) => name === value);
  return view ?? fail(text, `it should name a view, ${PHANTOM_VIEWS.join(", ")}`, value);
}

function parseNumber(
  text: string,
  { fallback, min, max, meaning }: FaultQuantity,
  given: string | undefined,
  isCount: boolean,
): number {
  if (given === undefined) return fallback;
  const value = /^-?(\d+\.?\d*|\.\d+)$/.test(given) ? Number(given) : NaN;
  const fits = value >= min && value <= max && (!isCount || Number.isInteger(value));
  if (fits) return value;
  const kind = isCount ? "a whole number" : "a number";
  fail(text, `${meaning} should be ${kind} from ${min} to ${max}`, given);
}

function fail(text: string, state: string, value: string): never {
  throw new RangeError(
    `Cannot inject the fault "${text}": ${state}, current value is "${value}".`,
  );
}
