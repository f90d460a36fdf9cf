import { basename, join } from "node:path";
import { serialImageName } from "./_cameras.ts";
import { writeImages } from "./_images.ts";
import type { WriteContext, WrittenFiles, WrittenImage } from "./_layout_writer.ts";
import { writeControllerLog } from "./_robot_csv.ts";
import type { RobotTable, Take } from "./_take.ts";

/** A picture farther than this from any robot row has no record, seconds. */
const MATCH_SECONDS = 0.01;
/** Pictures of other views farther than this do not belong to a moment, seconds. */
const MOMENT_SECONDS = 0.1;

/**
 * A capture without sensor: lower-case views, the robot's own log, and the JSON files that match
 * pictures with robot rows, by the stamps as they are.
 */
export async function writeCaptures(take: Take, context: WriteContext): Promise<WrittenFiles> {
  const robotLog = `robot_rt_${take.robot.send[0]!.toFixed(3)}.csv`;
  writeControllerLog(join(context.folder, robotLog), take);
  const images = await writeImages(take, context, (view, eye, time) => {
    const name = view.toLowerCase();
    const folder = eye === "hand" ? `${name}_oak` : `${name}/${eye}`;
    return `${folder}/${serialImageName(view, eye, time)}`;
  });
  const byKey = groupByKey(images.map((picture) => {
    return { ...picture, time: Number(picture.time.toFixed(3)) }; // as their names say
  }));
  const name = basename(context.target);
  for (const [key, pictures] of byKey) {
    const records = pictures.flatMap((picture) => {
      const match = matchRobot(take.robot, picture.time);
      if (match === undefined) return [];
      return [{ timestamp: picture.time, image: join(context.target, picture.path), ...match }];
    });
    writeJson(join(context.folder, `${name}_${key}_single.json`), records);
  }
  const precise = `${name}_precise_${byKey.size}views.json`;
  writeJson(join(context.folder, precise), moments(take.robot, byKey, context.target));
  return { robotLog, sensor: null, images };
}

/** One record for each picture of the first view, with the nearest of every other view. */
function moments(
  robot: RobotTable,
  byKey: ReadonlyMap<string, readonly WrittenImage[]>,
  target: string,
): unknown[] {
  const [first] = byKey.values();
  return (first ?? []).flatMap(({ time }) => {
    const match = matchRobot(robot, time);
    if (match === undefined) return [];
    const images: Record<string, string> = {};
    for (const [key, pictures] of byKey) {
      const picture = pictures[nearest(pictures, time)]!;
      if (Math.abs(picture.time - time) > MOMENT_SECONDS) return [];
      images[key] = join(target, picture.path);
    }
    return [{ timestamp: time, images, ...match }];
  });
}

function groupByKey(images: readonly WrittenImage[]): Map<string, WrittenImage[]> {
  return Map.groupBy(images, ({ view, eye }) => {
    return `${view.toLowerCase()}_${eye === "hand" ? "oak" : eye}`;
  });
}

function matchRobot({ send, joints, pose }: RobotTable, time: number) {
  const row = nearestNumber(send, time);
  const difference = Math.abs(send[row]! - time);
  if (!(difference <= MATCH_SECONDS)) return undefined;
  return {
    robot_state: {
      timestamp: send[row]!,
      joint_angles: [...joints.subarray(6 * row, 6 * row + 6)],
      ee_pose: [...pose.subarray(6 * row, 6 * row + 6)],
    },
    time_diff_robot: difference,
  };
}

function nearest(pictures: readonly WrittenImage[], time: number): number {
  return nearestNumber(pictures.map((picture) => picture.time), time);
}

/** Of two equally near the later. */
function nearestNumber(values: ArrayLike<number>, wanted: number): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) {
    if (Math.abs(values[i]! - wanted) <= Math.abs(values[best]! - wanted)) best = i;
  }
  return best;
}

function writeJson(path: string, records: readonly unknown[]): void {
  Deno.writeTextFileSync(path, JSON.stringify(records, null, 2) + "\n");
}
