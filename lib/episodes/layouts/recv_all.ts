import { onlyFile, readRobotCsv, RECORDER_COLUMNS } from "./_robot_csv.ts";
import { openSensor } from "./_sensor.ts";
import { readViews } from "./_views.ts";
import type { Layout } from "./layout.ts";

/** `recv_all_<time>`: ZED views with an eye's folder each, OAK view, robot CSV, raw sensor NPZ. */
export const recvAll: Layout = {
  name: "recv-all",
  claims: ({ name, files }) =>
    name.startsWith("recv_all_") || files.some((file) => /^robot_state_.*\.csv$/.test(file)),
  read: (folder, { findings, clock }) => ({
    robot: readRobotCsv(
      onlyFile(folder, /^robot_state_.*\.csv$/, "robot_state_*.csv"),
      RECORDER_COLUMNS,
      findings,
      clock,
    ),
    views: readViews(folder, findings),
    openSensor: () => openSensor(folder),
  }),
};
