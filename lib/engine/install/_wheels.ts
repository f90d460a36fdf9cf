import { NVIDIA_WHEELS } from "./_nvidia_wheels.ts";
import type { Wheel } from "./_wheel.ts";

/** The version of TensorFlow that trocar installs. */
export const TENSORFLOW_VERSION = "2.21.0";

const LIBRARIES = /^tensorflow\/libtensorflow_(cc|framework)(\.so\.2|\.2\.dylib)$/;

/** TensorFlow itself, by platform and kind. */
const TENSORFLOW: Readonly<Record<string, Wheel>> = {
  "linux-x86_64 cpu": {
    project: "tensorflow-cpu",
    version: "2.21.0",
    file: "tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl",
    platform: "manylinux_2_27_x86_64",
    sha256: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
    bytes: 273_829_956,
    unpackedBytes: 853_308_936,
    members: LIBRARIES,
  },
  "linux-x86_64 cuda": {
    project: "tensorflow",
    version: "2.21.0",
    file: "tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl",
    platform: "manylinux_2_27_x86_64",
    sha256: "9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124",
    bytes: 572_440_367,
    unpackedBytes: 1_259_021_080,
    members: LIBRARIES,
  },
  "linux-aarch64 cpu": {
    project: "tensorflow",
    version: "2.21.0",
    file: "tensorflow-2.21.0-cp311-cp311-manylinux_2_27_aarch64.whl",
    platform: "manylinux_2_27_aarch64",
    sha256: "4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c",
    bytes: 281_828_020,
    unpackedBytes: 883_062_208,
    members: LIBRARIES,
  },
  "darwin-aarch64 cpu": {
    project: "tensorflow",
    version: "2.21.0",
    file: "tensorflow-2.21.0-cp311-cp311-macosx_12_0_arm64.whl",
    platform: "macosx_12_0_arm64",
    sha256: "51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88",
    bytes: 223_405_849,
    unpackedBytes: 740_805_624,
    members: LIBRARIES,
  },
};

/**
 * The pinned wheels that together make an installation.
 *
 * @param platform `<os>-<arch>`, e.g. `linux-x86_64`
 * @param cuda with the CUDA build of TensorFlow and NVIDIA's libraries
 * @returns the wheels, TensorFlow first; `undefined` when there are none for this platform
 */
export function wheelsFor(platform: string, cuda: boolean): readonly Wheel[] | undefined {
  const tensorflow = TENSORFLOW[`${platform} ${cuda ? "cuda" : "cpu"}`];
  if (tensorflow === undefined) return undefined;
  return cuda ? [tensorflow, ...NVIDIA_WHEELS] : [tensorflow];
}
