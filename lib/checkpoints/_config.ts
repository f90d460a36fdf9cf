import type { JsonValue } from "../features/canonical_json.ts";
import { type PolicyConfig, validateConfig } from "../policies/config.ts";
import { preset } from "../policies/presets.ts";

/** More layers than any policy; a wrong number must not make a list of that length. */
const MOST_LAYERS = 256;
/** Training only: what a policy computes does not depend on them. */
export const TRAINING_ONLY: readonly string[] = ["sensorEncoder", "actionExpert"].flatMap((
  part,
) => [
  `${part}.dropout`,
  `${part}.missingRate`,
]);

type Members = Readonly<Record<string, unknown>>;

const DAMAGED = "Train or convert it again, or update trocar if a newer version wrote it.";

/** Whether a value is an object with members. */
export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A configuration from a file.
 *
 * @throws {SyntaxError} naming the setting that is wrong, missing or unknown
 */
export function parseConfig(path: string, value: unknown, advice = DAMAGED): PolicyConfig {
  const refuse = (problem: string): never => {
    throw new SyntaxError(`Cannot read ${path}: its policy configuration ${problem}. ${advice}`);
  };
  if (!isMembers(value)) return refuse(`should be an object, current value is ${brief(value)}`);
  const { architecture, family, fusion } = value;
  let template: PolicyConfig;
  try {
    const choice = { architecture, family, fusion } as { architecture: "reference" };
    if (fusion === undefined || family === undefined) refuse("should name family and fusion");
    template = preset("tiny", choice);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return refuse(`is impossible: ${reasonOf(error)}`);
  }
  const sensor = template.sensorEncoder ??
    preset("tiny", { architecture: template.architecture }).sensorEncoder;
  const parts: [place: string, found: unknown, expected: object][] = [
    ["", value, template],
    ["actionExpert.", value.actionExpert, template.actionExpert],
  ];
  if (value.sensorEncoder !== null) {
    parts.push(["sensorEncoder.", value.sensorEncoder, sensor!]);
  }
  for (const [place, found, expected] of parts) {
    const problem = memberProblem(place, found, expected);
    if (problem !== undefined) refuse(problem);
  }
  try {
    validateConfig(value as unknown as PolicyConfig);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    refuse(`is impossible: ${reasonOf(error)}`);
  }
  return value as unknown as PolicyConfig;
}

function reasonOf({ message }: Error): string {
  return message.replace(/^Cannot [^:]*: /, "");
}

function memberProblem(place: string, found: unknown, expected: object): string | undefined {
  if (!isMembers(found)) {
    return `should have an object ${place.slice(0, -1)}, current value is ${brief(found)}`;
  }
  for (const [name, example] of Object.entries(expected)) {
    const value = Object.hasOwn(found, name) ? found[name] : undefined;
    if (name === "sensorEncoder" && value === null) continue;
    const type = name === "sensorEncoder" ? "object" : typeof example;
    if (typeof value !== type || (type === "number" && !Number.isFinite(value))) {
      return `should have a ${type} ${place}${name}, current value is ${brief(value)}`;
    }
    if (/layers$/i.test(name) && Number(value) > MOST_LAYERS) {
      return `should have at most ${MOST_LAYERS} ${place}${name}, current value is ${value}`;
    }
  }
  const unknown = Object.keys(found).find((name) => !Object.hasOwn(expected, name));
  return unknown && `has an unknown setting ${place}${unknown}`;
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/**
 * Settings of two policies that differ, as `name: first, second`.
 *
 * @param without settings that may differ, or parts with all of theirs
 */
export function configDifferences(
  a: PolicyConfig,
  b: PolicyConfig,
  without: readonly string[] = TRAINING_ONLY,
): string[] {
  const [left, right] = [flat(a), flat(b)];
  // The widths of a joining projection follow from the fusion.
  const free = without.includes("fusion")
    ? [...without, "actionExpert.visionDim", "actionExpert.sensorDim"]
    : without;
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((name) => !free.some((other) => name === other || name.startsWith(`${other}.`)))
    .filter((name) => left.get(name) !== right.get(name))
    .map((name) => `${name}: ${left.get(name) ?? "none"}, ${right.get(name) ?? "none"}`);
}

function flat(config: PolicyConfig): Map<string, JsonValue> {
  const members = (part: string, value: object | null): [string, JsonValue][] =>
    value === null
      ? [[part, null]]
      : Object.entries(value).map(([name, member]) => [`${part}.${name}`, member]);
  const { architecture, family, fusion, sensorEncoder, actionExpert } = config;
  return new Map<string, JsonValue>([
    ...Object.entries({ architecture, family, fusion }),
    ...members("sensorEncoder", sensorEncoder),
    ...members("actionExpert", actionExpert),
  ]);
}

/** Settings with their values, such as `actionExpert.heads 8`. */
export function settingValues(config: PolicyConfig, names: readonly string[]): string[] {
  const values = flat(config);
  return names.map((name) => values.has(name) ? `${name} ${values.get(name)}` : name);
}

/** How messages call a policy. */
export function policyName({ architecture, family, fusion }: PolicyConfig): string {
  return `${architecture} ${family}:${fusion}`;
}
