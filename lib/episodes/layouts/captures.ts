import { CAPTURE_STATE, onlyFile, readRobotCsv } from "./_robot_csv.ts";
import { readViews } from "./_views.ts";
import type { Layout } from "./layout.ts";

/** `Captures<i>`, `ZED_Captures_<n>th`: lower-case views, `robot_rt_*.csv`, no sensor. */
export const captures: Layout = {
  name: "captures",
  claims: ({ name, files }) =>
    /^(Captures\d+|ZED_Captures_\d+th)$/.test(name) ||
    files.some((file) => /^robot_rt_.*\.csv$/.test(file)),
  read: (folder, { findings, clock }) => ({
    robot: readRobotCsv(
      onlyFile(folder, /^robot_rt_.*\.csv$/, "robot_rt_*.csv"),
      { clocks: [["timestamp", "timestamp"]], state: CAPTURE_STATE },
      findings,
      clock,
    ),
    views: readViews(folder, findings),
    openSensor: () => null,
  }),
};
