/** What a camera of the phantom sees: plate, ports, needle, marker balls, light and noise. */
import { addScaled, axisZ, dot, rotate, subtract, type Vector3 } from "../robot/_geometry.ts";
import { rotationMatrix } from "../robot/rotation.ts";
import { type Camera, cameraOf, FRAME_HEIGHT, FRAME_WIDTH, project } from "./_camera.ts";
import { type Colour, type Disc, type Plane, Raster } from "./_raster.ts";
import { INSERTION_AXIS, type PhantomScene, PLATE_X, PLATE_Y } from "./scene.ts";
import { NOISE_MASK, noiseTable } from "./_stream.ts";

const PLATE: Disc = { centre: [0, 0], radius: 17, colour: [205, 190, 178], vignette: 0.25 };
const PORT_RADIUS = 3; // mm
const PORT_COLOURS: readonly Colour[] = [
  [40, 70, 200],
  [40, 160, 70],
  [200, 45, 45],
  [245, 245, 245],
  [230, 205, 50],
  [25, 25, 25],
];
const NEEDLE_LENGTH = 40, NEEDLE_RADIUS = 0.4; // mm
const NEEDLE_COLOUR: Colour = [70, 74, 80];
const NEAREST = 5; // mm in front of a camera; nearer things are not drawn
const BALL_RADIUS = 3; // mm
const BALLS: readonly { readonly at: Vector3; readonly colour: Colour }[] = [
  { at: [0, 0, -18], colour: [240, 130, 20] },
  { at: [0, 0, -36], colour: [20, 220, 220] },
  { at: [12, 0, -36], colour: [220, 40, 220] },
];

/** Number of the camera on the hand. */
export const HAND_VIEW = 4;

const rasters = new Map<number, Raster>();

/**
 * Renders a frame.
 *
 * @param scene the scene
 * @param view 0 to 4
 * @param pose `(6)` the tool's pose: mm, degrees
 * @param word uint32, picks flicker and pixel noise; undefined for neither
 * @param reduction divides 640 and 360: 1 for full frames
 * @returns `(360/reduction · 640/reduction · 3)` 0 to 255; the next call overwrites it
 * @throws {RangeError} if the reduction does not divide the frame
 */
export function renderFrame(
  scene: PhantomScene,
  view: number,
  pose: ArrayLike<number>,
  word: number | undefined,
  reduction = 1,
): Float32Array {
  const raster = rasterOf(reduction);
  const camera = cameraOf(view, pose);
  raster.clear();
  paintPlate(raster, camera, scene);
  paintTool(raster, camera, scene, pose, view !== HAND_VIEW);
  shade(raster, scene, view, word);
  return raster.pixels;
}

/** The reused raster of a reduction. */
function rasterOf(reduction: number): Raster {
  const known = rasters.get(reduction);
  if (known !== undefined) return known;
  assertReduction(reduction);
  const raster = new Raster(reduction);
  rasters.set(reduction, raster);
  return raster;
}

/** @throws {RangeError} if frames cannot be reduced by this factor */
export function assertReduction(reduction: number): void {
  const divides = (size: number) => Number.isInteger(size / reduction);
  const isDivisor = Number.isInteger(reduction) && reduction > 0 && divides(FRAME_WIDTH) &&
    divides(FRAME_HEIGHT);
  if (isDivisor) return;
  throw new RangeError(
    `Cannot render a frame: the reduction must divide ${FRAME_WIDTH} and ${FRAME_HEIGHT}, ` +
      `current value is ${reduction}. Use 1 for full frames or 5 for small ones`,
  );
}

function paintPlate(raster: Raster, camera: Camera, scene: PhantomScene): void {
  const plane: Plane = { origin: scene.centre, x: PLATE_X, y: PLATE_Y, normal: INSERTION_AXIS };
  const depth = Math.max(1, project(camera, scene.centre).depth);
  const footprint = raster.reduction * depth / camera.focal;
  raster.paintPlaneDisc(camera, plane, PLATE, footprint);
  scene.ports.forEach((port, i) => {
    const from = subtract(port, scene.centre);
    const centre = [dot(from, PLATE_X), dot(from, PLATE_Y)] as const;
    const disc = { centre, radius: PORT_RADIUS, colour: PORT_COLOURS[i]! };
    raster.paintPlaneDisc(camera, plane, disc, footprint);
  });
}

function paintTool(
  raster: Raster,
  camera: Camera,
  scene: PhantomScene,
  pose: ArrayLike<number>,
  hasBalls: boolean,
): void {
  const tip: Vector3 = [pose[0]!, pose[1]!, pose[2]!];
  const turn = rotationMatrix(pose[3]!, pose[4]!, pose[5]!);
  const needle = visibleNeedle(camera, scene, tip, addScaled(tip, -NEEDLE_LENGTH, axisZ(turn)));
  if (needle !== undefined) {
    const [top, low] = needle;
    const scale = NEEDLE_RADIUS * camera.focal;
    raster.paintRod(project(camera, top), project(camera, low), scale, NEEDLE_COLOUR);
  }
  if (!hasBalls) return;
  for (const { at, colour } of BALLS) {
    const centre = project(camera, addScaled(tip, 1, rotate(turn, at)));
    if (centre.depth < NEAREST) continue;
    raster.paintBall(centre, BALL_RADIUS * camera.focal / centre.depth, colour);
  }
}

/** The part of the needle in front of the plate and of the camera, or undefined. */
function visibleNeedle(
  camera: Camera,
  scene: PhantomScene,
  tip: Vector3,
  end: Vector3,
): [top: Vector3, low: Vector3] | undefined {
  let top = end, low = tip;
  const behind = dot(subtract(tip, scene.centre), INSERTION_AXIS);
  if (behind > 0) {
    const front = dot(subtract(end, scene.centre), INSERTION_AXIS);
    if (front >= 0) return undefined;
    low = between(end, tip, front / (front - behind));
  }
  const topDepth = project(camera, top).depth, lowDepth = project(camera, low).depth;
  if (topDepth < NEAREST && lowDepth < NEAREST) return undefined;
  const cut = between(top, low, (NEAREST - topDepth) / (lowDepth - topDepth));
  if (topDepth < NEAREST) top = cut;
  if (lowDepth < NEAREST) low = cut;
  return [top, low];
}

function between(a: Vector3, b: Vector3, share: number): Vector3 {
  return addScaled(a, share, subtract(b, a));
}

/** Light of the scene and of this frame, then pixel noise. */
function shade(
  raster: Raster,
  scene: PhantomScene,
  view: number,
  word: number | undefined,
): void {
  const { pixels, reduction } = raster;
  const noise = noiseTable();
  const flicker = word === undefined ? 1 : 1 + 0.01 * noise[word >>> 16]!;
  const [red, green, blue] = [0, 1, 2].map((channel) =>
    scene.viewGains[view]! * scene.channelGains[3 * view + channel]! * flicker
  ) as [number, number, number];
  const sigma = word === undefined ? 0 : 4 / reduction;
  let from = (word ?? 0) & NOISE_MASK;
  for (let i = 0; i < pixels.length; i += 3, from += 3) {
    pixels[i] = limit(pixels[i]! * red + sigma * noise[from & NOISE_MASK]!);
    pixels[i + 1] = limit(pixels[i + 1]! * green + sigma * noise[(from + 1) & NOISE_MASK]!);
    pixels[i + 2] = limit(pixels[i + 2]! * blue + sigma * noise[(from + 2) & NOISE_MASK]!);
  }
}

function limit(colour: number): number {
  return colour < 0 ? 0 : colour > 255 ? 255 : colour;
}
