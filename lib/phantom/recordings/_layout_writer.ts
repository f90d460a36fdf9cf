import type { Take } from "./_take.ts";
import type { PhantomView } from "../scene.ts";

/** Which eye of a camera. */
export type Eye = "left" | "right" | "hand";

/** A picture that was written. */
export interface WrittenImage {
  readonly view: PhantomView;
  readonly eye: Eye;
  /** Seconds on the cameras' clock. */
  readonly time: number;
  /** Relative to the recording. */
  readonly path: string;
}

/** Where and how a layout's files are written. */
export interface WriteContext {
  /** Where the files go while they are written. */
  readonly folder: string;
  /** Absolute path where they will stand when all is done. */
  readonly target: string;
  /** JPEG quality. */
  readonly quality: number;
  /** Stops the work. */
  readonly signal: AbortSignal | undefined;
  /** Called after each picture. */
  readonly onImage: ((done: number, total: number) => void) | undefined;
}

/** What a layout's writer has written, relative to the recording. */
export interface WrittenFiles {
  readonly robotLog: string;
  readonly sensor: string | null;
  readonly images: readonly WrittenImage[];
  /** What belongs into `metadata.json`; none where the layout has no such file. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Writes the files of one layout. */
export type LayoutWriter = (take: Take, context: WriteContext) => Promise<WrittenFiles>;
