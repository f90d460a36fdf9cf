import sharp from "sharp";
import { instructionOf } from "../episodes/instruction.ts";
import { assertViews } from "./_views.ts";
import { blockMeans, COLUMNS, ROWS } from "./_block_means.ts";
import type {
  Feature,
  FeatureExtractor,
  FeatureIdentity,
  FeatureRequest,
  FeatureView,
} from "./extractor.ts";

const WIDTH = 2048;
const VIEW_LENGTH = ROWS * COLUMNS * 3;
const MOST_VIEWS = 5;
/** First value of the task. */
const TASK = MOST_VIEWS * VIEW_LENGTH;
/** First of the flags of missing views, and the flag of an unknown instruction. */
const MISSING = WIDTH - MOST_VIEWS - 1, UNKNOWN = WIDTH - 1;
const MOST_TASKS = MISSING - TASK;

/** Tasks in the order of their values, each with the instructions that mean it. */
const TASKS: readonly (readonly string[])[] = [
  ...["Blue_point", "Green_point", "Red_point", "White_point", "Yellow_point"].map((task) => [
    instructionOf(task),
  ]),
  [instructionOf("Eye_trocar"), instructionOf("Needle_insertion_eye_trocar")],
];

/** What {@linkcode pixel2048} may be given. */
export interface Pixel2048Options {
  /** Cameras in the order of their values, at most 5; default View1 to View5. */
  readonly views?: readonly string[];
  /**
   * Tasks in the order of their values, each with the instructions that mean it; at most 122. Default
   * the six tasks of the eye phantom.
   */
  readonly tasks?: readonly (readonly string[])[];
}

/**
 * The feature without parameters: of each view the means over 8 rows of 16 cells, and which task it
 * is. Fast, the same on every machine, and enough for the eye phantom.
 *
 * Of its 2048 values view v has 384·v to 384·v + 383, cell row by cell row, channel last:
 * mean / 127.5 − 1, of the decoded picture in its own size (40×45 pixels a cell at 640×360; in sizes
 * that do not divide, a pixel counts in each cell with the area that lies in it). Value 1920 + k is 1
 * for task k. A view without an image has the values 0, middle grey, and value 2042 + v is 1; an
 * instruction of no known task sets value 2047. Where nothing is missing, 1926 to 2047 are 0.
 *
 * @param options cameras and tasks
 * @returns the extractor
 * @throws {RangeError} when there are too many views or tasks, or one of them twice
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import sharp from "sharp";
 * import { pixel2048 } from "./mod.ts";
 *
 * const white = { width: 640, height: 360, channels: 3, background: "white" } as const;
 * const image = await sharp({ create: white }).jpeg().toBuffer();
 * const extractor = pixel2048({ views: ["View1", "View5"] });
 * const [feature] = await extractor.extract([{
 *   views: [{ name: "View1", image }, { name: "View5", image: null }],
 *   instruction: "Perform Green point insertion task",
 * }]);
 * const { values } = feature!;
 * assert.deepEqual([values[0], values[384], values[1921], values[2042], values[2043]], [1, 0, 1, 0, 1]);
 * ```
 */
export function pixel2048(options: Pixel2048Options = {}): FeatureExtractor {
  const { views = ["View1", "View2", "View3", "View4", "View5"], tasks = TASKS } = options;
  assertUnique("views", views, views.length, MOST_VIEWS);
  assertUnique("instructions", tasks.flat(), tasks.length, MOST_TASKS);
  const slots = new Map(tasks.flatMap((texts, k) => texts.map((text) => [text, k] as const)));
  const identity: FeatureIdentity = {
    model: "pixel-2048",
    revision: "1",
    adapter: null,
    processor: {
      decoder: `sharp ${sharp.versions.sharp}`,
      cells: [ROWS, COLUMNS],
      scale: "mean / 127.5 - 1",
      tasks,
    },
    promptTemplate: "{instruction}",
    taps: { layer: "pixels", selection: "all", pooling: "none" },
    views,
  };
  return {
    name: "pixel-2048",
    identity,
    width: WIDTH,
    dtype: "float32",
    frozen: true,
    norm: [1, Math.sqrt(WIDTH)],
    extract: (requests) => {
      // Neighbouring requests share images: each is decoded once per call.
      const decoded = new Map<Uint8Array | string, Promise<Float32Array>>();
      return Promise.all(requests.map((request) => {
        assertViews(views, request);
        return featureOf(request, slots.get(request.instruction), decoded);
      }));
    },
  };
}

async function featureOf(
  { views }: FeatureRequest,
  task: number | undefined,
  decoded: Map<Uint8Array | string, Promise<Float32Array>>,
): Promise<Feature> {
  const values = new Float32Array(WIDTH);
  let visualTokens = 0;
  await Promise.all(views.map(async (view, v) => {
    const { image } = view;
    if (image === null) {
      values[MISSING + v] = 1;
      return;
    }
    let means = decoded.get(image);
    if (means === undefined) decoded.set(image, means = cellsOf(image, view));
    values.set(await means, v * VIEW_LENGTH);
    visualTokens += ROWS * COLUMNS;
  }));
  values[task === undefined ? UNKNOWN : TASK + task] = 1;
  return { tokens: 1, visualTokens, values };
}

async function cellsOf(
  image: Uint8Array | string,
  { name, file }: FeatureView,
): Promise<Float32Array> {
  const target = new Float32Array(VIEW_LENGTH);
  let picture;
  try {
    picture = await sharp(image).removeAlpha().toColourspace("srgb").raw()
      .toBuffer({ resolveWithObject: true });
  } catch (error) {
    const what = file ?? (typeof image === "string" ? image : `the image of ${name}`);
    throw new SyntaxError(
      `Cannot decode ${what}: ${(error as Error).message}. Record or copy it again.`,
    );
  }
  blockMeans(picture.data, picture.info.width, picture.info.height, target);
  return target;
}

function assertUnique(
  what: string,
  names: readonly string[],
  count: number,
  most: number,
): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (count >= 1 && count <= most && twice === undefined) return;
  throw new RangeError(
    `Cannot make pixel-2048: it takes 1 to ${most} ${what}, each once, current value is ` +
      (twice === undefined ? `${count}.` : `${JSON.stringify(twice)} twice.`),
  );
}
