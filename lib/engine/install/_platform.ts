/** Names of the two library files that the engine opens, by operating system. */
export interface LibraryNames {
  /** `libtensorflow_framework`. */
  readonly framework: string;
  /** `libtensorflow_cc`, then the names that a C-only build gives the same library. */
  readonly cc: readonly string[];
}

/** This machine as `<os>-<arch>`, e.g. `linux-x86_64`, `darwin-aarch64`, `windows-x86_64`. */
export function currentPlatform(): string {
  return `${Deno.build.os}-${Deno.build.arch}`;
}

/** The library names of a platform; the Linux names for systems without a TensorFlow of their own. */
export function libraryNames(platform: string = currentPlatform()): LibraryNames {
  return platform.startsWith("darwin")
    ? {
      framework: "libtensorflow_framework.2.dylib",
      cc: ["libtensorflow_cc.2.dylib", "libtensorflow.2.dylib"],
    }
    : {
      framework: "libtensorflow_framework.so.2",
      cc: ["libtensorflow_cc.so.2", "libtensorflow.so.2"],
    };
}
