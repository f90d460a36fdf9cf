import { readCsv } from "../../formats/csv.ts";
import { STATE_WIDTH } from "../actions.ts";
import { forwardKinematics } from "../../robot/kinematics.ts";
import { endsInTornLine, reportTornLine } from "./_torn_line.ts";
import type { Layout } from "./layout.ts";

const JOINTS = Array.from({ length: 6 }, (_, joint) => `JointPos_${joint}`);
const MICROSECONDS = 1e6; // in a second

/** Whether a CSV is a log of mecademicpy: one look at its first bytes. */
export function isMeca500Log(path: string): boolean {
  if (!path.endsWith(".csv") || !isFile(path)) return false;
  using file = Deno.openSync(path);
  const head = new Uint8Array(512);
  const read = file.readSync(head) ?? 0;
  const [header = ""] = new TextDecoder().decode(head.subarray(0, read)).split("\n");
  return /^\s*timestamp\s*,/.test(header) && header.includes("JointPos_0");
}

/** A pipe is not opened, because that may wait for ever; a link that leads nowhere cannot be. */
function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * A log file of Mecademic's Python driver: controller time in µs and measured joint angles. There are
 * neither images nor sensor, and no pose: it is computed from the joints by the published dimensions,
 * for the flange, without a tool.
 */
export const meca500Log: Layout = {
  name: "meca500-log",
  claims: () => false, // a file, not a folder
  read: (path, { findings }) => {
    const isTorn = endsInTornLine(path);
    const table = readCsv(path, {
      columns: ["timestamp", ...JOINTS],
      tornLastLine: isTorn ? "drop" : "error",
    });
    if (isTorn) reportTornLine(path, findings);
    const joints = JOINTS.map((name) => table.columns[name]!);
    const state = new Float32Array(table.rows * STATE_WIDTH);
    for (let row = 0; row < table.rows; row++) {
      const angles = joints.map((column) => column[row]!);
      state.set(angles, row * STATE_WIDTH);
      state.set(forwardKinematics(angles, 0), row * STATE_WIDTH + 6);
    }
    findings.push({
      severity: "warning",
      code: "robot.pose-computed",
      where: path,
      message:
        "The log holds joint angles only. The pose is that of the flange, computed from the " +
        "measured joints by the robot's published dimensions; there is no tool in it.",
    }, {
      severity: "warning",
      code: "view.none",
      where: path,
      message: "The log holds no images and no sensor rows: fit for looking at motion, not for " +
        "training.",
    });
    return {
      robot: {
        file: path,
        clock: "timestamp",
        time: table.columns.timestamp!.map((time) => time / MICROSECONDS),
        recvTime: null,
        state,
        pose: "forward kinematics",
        blankRows: 0,
      },
      views: [],
      openSensor: () => null,
    };
  },
};
