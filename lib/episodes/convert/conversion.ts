import type { RecorderClock } from "./robot_states.ts";

/** What conversions are told; each uses what concerns it. */
export interface ConvertOptions {
  /** Kind of the output, one of the table's `to`, where path and contents leave a choice. */
  readonly to?: string;
  /** Replace files that are there; default false. */
  readonly overwrite?: boolean;
  /** Column of the robot log that gives the time; default the conversion's own. */
  readonly clock?: RecorderClock;
  /** Give interval JSON records their sensor interval; default true. */
  readonly intervals?: boolean;
  /** Images farther than this from every robot row get no record, in seconds; default 0.010. */
  readonly maxDifference?: number;
  /** Write image paths absolute instead of relative to the JSON file; default false. */
  readonly absolutePaths?: boolean;
  /** Do as the Python reference does where the corrected way differs; default false. */
  readonly compat?: boolean;
  /** Write metadata.json beside sensor windows; default false. */
  readonly metadata?: boolean;
  /** Leave out the state of a checkpoint's optimiser; default false. */
  readonly weightsOnly?: boolean;
  /** JSON file with the policy's configuration, for a checkpoint that has none or a wrong one. */
  readonly config?: string;
  /** Which checkpoint of a run; default `latest`. */
  readonly which?: "latest" | "best" | "final";
  /** Folder of the visual-language model that a second stage trained. */
  readonly model?: string;
  /** α of an adapter in a file that does not record it; default 32. */
  readonly loraAlpha?: number;
  /** Stops between blocks or recordings. */
  readonly signal?: AbortSignal;
}

/** From where to where. */
export interface ConvertRequest extends ConvertOptions {
  /** File or folder, absolute. */
  readonly input: string;
  /** File or folder, absolute. */
  readonly output: string;
}

/** A file or folder that was written. */
export interface ConvertedFile {
  /** Its path. */
  readonly path: string;
  /** Arrays in it; of JSON, records. */
  readonly tensors: number;
  /** Its size. */
  readonly bytes: number;
}

/** What a conversion did. */
export interface ConversionResult {
  /** What was written. */
  readonly files: readonly ConvertedFile[];
  /** What was there already and was kept. */
  readonly kept: readonly string[];
  /** What could not be converted, in conversions of many. */
  readonly failed: readonly { readonly path: string; readonly error: string }[];
  /** What a reader should know, one sentence each. */
  readonly remarks: readonly string[];
}

/** One row of the table of conversions. */
export interface Conversion {
  /** Kind of the input. */
  readonly from: string;
  /** Kind of the output, as `--to` takes it. */
  readonly to: string;
  /** What `--help` says of it. */
  readonly summary: string;
  /**
   * Whether input and output look like it; `to` has been compared before.
   *
   * @param request from where to where
   */
  claims(request: ConvertRequest): boolean;
  /**
   * Does it.
   *
   * @param request from where to where, and how
   */
  run(request: ConvertRequest): ConversionResult | Promise<ConversionResult>;
}

/**
 * Finds the conversion that a request means.
 *
 * @param conversions the table
 * @param request from where to where; `to` decides where several are possible
 * @returns all conversions that claim the request: one is right, none and several are errors of the
 * request
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { CONVERSIONS, matchingConversions } from "./mod.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * Deno.writeTextFileSync(`${folder}/robot_states.csv`, "");
 * const [only, ...more] = matchingConversions(CONVERSIONS, {
 *   input: `${folder}/robot_states.csv`,
 *   output: `${folder}/robot_states.npz`,
 * });
 * assert.deepEqual([only?.to, more.length], ["robot-npz", 0]);
 * ```
 */
export function matchingConversions(
  conversions: readonly Conversion[],
  request: ConvertRequest,
): Conversion[] {
  return conversions.filter((each) =>
    (request.to === undefined || request.to === each.to) && each.claims(request)
  );
}

/**
 * The table of conversions as text.
 *
 * @param conversions the table
 * @returns a line each
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { CONVERSIONS, describeConversions } from "./mod.ts";
 *
 * assert.match(describeConversions(CONVERSIONS), /data\.pkl +→ container/);
 * ```
 */
export function describeConversions(conversions: readonly Conversion[]): string {
  const from = Math.max(...conversions.map((each) => each.from.length));
  const to = Math.max(...conversions.map((each) => each.to.length));
  return conversions.map((each) =>
    `  ${each.from.padEnd(from)} → ${each.to.padEnd(to)}  ${each.summary}`
  ).join("\n");
}
