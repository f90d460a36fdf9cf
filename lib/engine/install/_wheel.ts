/** A Python wheel whose contents are known beforehand: its SHA-256 is pinned here. */
export interface Wheel {
  /** Name of the Python project, e.g. `tensorflow-cpu`. */
  readonly project: string;
  readonly version: string;
  /** File name of the wheel. */
  readonly file: string;
  /** pip's platform tag. */
  readonly platform: string;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly sha256: string;
  /** Size of the wheel in bytes. */
  readonly bytes: number;
  /** Size of the members that are unpacked, in bytes. */
  readonly unpackedBytes: number;
  /** Which members are unpacked. */
  readonly members: RegExp;
}

/** How people are told about a wheel. */
export function labelOf({ project, version }: Wheel): string {
  return `${project} ${version}`;
}
