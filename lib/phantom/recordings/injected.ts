import type { FaultName } from "./fault.ts";

/** Where a fault is: `row` counts the rows of the file from 0, `time` is that row's stamp. */
export interface FaultPlace {
  /** Row of the file; of a hole, the first row after it. */
  readonly row?: number;
  /** Stamp in seconds, on the clock of the stream. */
  readonly time?: number;
  /** Time without rows, seconds. */
  readonly seconds?: number;
  /** Column of the file. */
  readonly column?: string;
  /** Camera. */
  readonly view?: string;
  /** File, relative to the recording. */
  readonly file?: string;
}

/** What was put into a recording. */
export interface InjectedFault {
  /** How often, exactly. */
  readonly count?: number;
  /** The fault's number in seconds: offset, step, noise; `largest` is the largest change. */
  readonly seconds?: number;
  /** Largest change of a stamp, seconds. */
  readonly largest?: number;
  /** Degrees added to the angle a. */
  readonly degrees?: number;
  /** Amplitude of a cosine added to the angle a, degrees; 0 where the constant does. */
  readonly swing?: number;
  /** Rows or frames that are not in the recording, in all. */
  readonly lost?: number;
  /** Camera that is not in the recording. */
  readonly view?: string;
  /** Bytes left of the file, and before. */
  readonly bytes?: number;
  /** Bytes of the whole file. */
  readonly bytesBefore?: number;
  /** Whole rows left of the file. */
  readonly rows?: number;
  /** Where. */
  readonly places?: readonly FaultPlace[];
}

/** What was put into a recording, by the name of the fault. */
export type Injected = { [name in FaultName]?: InjectedFault };
