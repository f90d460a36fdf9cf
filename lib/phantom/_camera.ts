/** Pinhole cameras: four fixed ones and one that moves with the tool. */
import {
  addScaled,
  cross,
  dot,
  normalise,
  rotate,
  sinCos,
  subtract,
  type Vector3,
} from "../robot/_geometry.ts";
import { rotationMatrix } from "../robot/rotation.ts";
import { INSERTION_AXIS, MEAN_CENTRE } from "./scene.ts";

/** Pixels of a frame at full resolution. */
export const FRAME_WIDTH = 640, FRAME_HEIGHT = 360;

/** A camera: where it is, and its axes (x right, y down, z forward), mm in the base frame. */
export interface Camera {
  readonly origin: Vector3;
  readonly x: Vector3;
  readonly y: Vector3;
  readonly z: Vector3;
  /** Focal length, pixels. */
  readonly focal: number;
}

const LOOK_AT = addScaled(MEAN_CENTRE, -4, INSERTION_AXIS);
const DISTANCE = 180; // mm
const DIRECTIONS = [[35, 40], [125, 45], [215, 40], [305, 50]] as const; // azimuth, elevation

const fixedCameras = DIRECTIONS.map(([azimuth, elevation]) => {
  const [sinA, cosA] = sinCos(azimuth), [sinE, cosE] = sinCos(elevation);
  const origin = addScaled(LOOK_AT, DISTANCE, [cosE * cosA, cosE * sinA, sinE]);
  return look(origin, LOOK_AT, [0, 0, 1], 800);
});

/**
 * The camera of a view.
 *
 * @param view 0 to 4; 4 is the one on the hand
 * @param pose `(6)` the tool's pose: mm, degrees
 */
export function cameraOf(view: number, pose: ArrayLike<number>): Camera {
  const fixed = fixedCameras[view];
  if (fixed !== undefined) return fixed;
  const tip: Vector3 = [pose[0]!, pose[1]!, pose[2]!];
  const turn = rotationMatrix(pose[3]!, pose[4]!, pose[5]!);
  const inBase = (point: Vector3) => addScaled(tip, 1, rotate(turn, point));
  return look(inBase([0, -28, -62]), inBase([0, 0, 5]), rotate(turn, [0, 1, 0]), 1000);
}

/** A point as seen by a camera: pixels at full resolution, and mm along the view axis. */
export interface Projection {
  readonly u: number;
  readonly v: number;
  readonly depth: number;
}

/** Projects a point of the base frame; meaningful for depths above 0. */
export function project(camera: Camera, point: Vector3): Projection {
  const from = subtract(point, camera.origin);
  const depth = dot(from, camera.z);
  return {
    u: FRAME_WIDTH / 2 + camera.focal * dot(from, camera.x) / depth,
    v: FRAME_HEIGHT / 2 + camera.focal * dot(from, camera.y) / depth,
    depth,
  };
}

/** A camera at `origin` that looks at `at`; `up` is up in the image. */
function look(origin: Vector3, at: Vector3, up: Vector3, focal: number): Camera {
  const z = normalise(subtract(at, origin));
  const x = normalise(cross(z, up));
  return { origin, x, y: cross(z, x), z, focal };
}
