import { onlyFile, readRobotCsv, RECORDER_COLUMNS } from "./_robot_csv.ts";
import { openSensor } from "./_sensor.ts";
import { readViews } from "./_views.ts";
import type { Layout } from "./layout.ts";

/** `episode_<time>`: views below `images/`, `robot_states.csv`, windowed sensor NPZ. */
export const newDataset: Layout = {
  name: "new-dataset",
  claims: ({ name, files }) => name.startsWith("episode_") || files.includes("robot_states.csv"),
  read: (folder, { findings, clock }) => ({
    robot: readRobotCsv(
      onlyFile(folder, /^robot_states\.csv$/, "robot_states.csv"),
      RECORDER_COLUMNS,
      findings,
      clock,
    ),
    views: readViews(`${folder}/images`, findings),
    openSensor: () => openSensor(folder),
  }),
  fallbackInstruction: (task) => `Perform ${task} insertion task`,
};
