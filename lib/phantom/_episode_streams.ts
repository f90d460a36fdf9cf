/** Frames and sensor rows of an episode, computed when they are asked for. */
import type { PhantomCamera, PhantomSensor } from "./episode.ts";
import { renderFrame } from "./_render.ts";
import type { SimulatedRobot } from "./_robot.ts";
import { PHANTOM_VIEWS } from "./scene.ts";
import { measureRow, SENSOR_VALUES } from "./_sensor.ts";
import { streamWords } from "./_stream.ts";
import { thumbnail } from "./thumbnail.ts";

/** The frames of a camera, rendered when asked for. */
export function createCamera(
  robot: SimulatedRobot,
  view: number,
  raster: number,
  frames: Pick<PhantomCamera, "index" | "trueTime" | "time" | "words">,
): PhantomCamera {
  const pose = new Float64Array(6);
  const render = (k: number, reduction: number) => {
    const time = frames.trueTime[k];
    if (time === undefined) {
      throw new RangeError(
        `Cannot render a frame of ${PHANTOM_VIEWS[view]}: it has frames 0 to ` +
          `${frames.trueTime.length - 1}, current value is ${k}. Pass one of these`,
      );
    }
    return renderFrame(robot.scene, view, robot.poseAt(time, pose), frames.words[k]!, reduction);
  };
  return {
    view: PHANTOM_VIEWS[view]!,
    ...frames,
    frame: (k) => roundPixels(render(k, raster)),
    thumbnail: (k, reduction = 5) => thumbnail(render(k, reduction)),
  };
}

/** The rows of the sensor that are in `index`, measured when asked for. */
export function createSensor(
  robot: SimulatedRobot,
  trueTime: Float64Array,
  stamps: Float64Array,
  index: Int32Array,
): PhantomSensor {
  const words = streamWords(robot.scene.seed, 6, trueTime.length);
  return {
    trueTime: pick(trueTime, index),
    time: pick(stamps, index),
    index,
    rows: (start, end) => {
      if (!(start >= 0 && start <= end && end <= index.length)) {
        throw new RangeError(
          `Cannot measure sensor rows: there are rows 0 to ${index.length} (not included), ` +
            `current value is ${start} to ${end}. Stay within`,
        );
      }
      const out = new Float32Array((end - start) * SENSOR_VALUES);
      for (let i = start; i < end; i++) {
        const row = index[i]!;
        measureRow(out, (i - start) * SENSOR_VALUES, robot, trueTime[row]!, words[row]!);
      }
      return out;
    },
  };
}

function roundPixels(pixels: Float32Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(pixels.length);
  for (let i = 0; i < out.length; i++) out[i] = pixels[i]! + 0.5;
  return out;
}

/** The values at some indices. */
export function pick(values: Float64Array, index: Int32Array): Float64Array {
  return Float64Array.from(index, (i) => values[i]!);
}
