import type { Eye } from "./_layout_writer.ts";
import type { PhantomView } from "../scene.ts";

/** Serial numbers of the stereo cameras, and the hand camera's id, as the recorders know them. */
const SERIALS: Readonly<Record<PhantomView, string>> = {
  View1: "41182735",
  View2: "49429257",
  View3: "44377151",
  View4: "49045152",
  View5: "1944301011169A4800",
};

/** `zed_<serial>_left_<s.mmm>.jpg`, `oak_<id>_<s.mmm>.jpg`: the first recorder's names. */
export function serialImageName(view: PhantomView, eye: Eye, time: number): string {
  const camera = eye === "hand" ? `oak_${SERIALS[view]}` : `zed_${SERIALS[view]}_${eye}`;
  return `${camera}_${time.toFixed(3)}.jpg`;
}

/** `ZED_<serial>_left_<s.mmm>.jpg`, `OAK_<s.mmm>.jpg`: the second recorder's names. */
export function collectorImageName(view: PhantomView, eye: Eye, time: number): string {
  const camera = eye === "hand" ? "OAK" : `ZED_${SERIALS[view]}_${eye}`;
  return `${camera}_${time.toFixed(3)}.jpg`;
}
