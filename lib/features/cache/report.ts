import type { FeatureFailure } from "./plan.ts";

/** What a command on the cache found and did. */
export interface CacheReport {
  /** Features that the data need, each once; those of this process's share where work is shared. */
  readonly planned: number;
  /** Those that were there, or that another process made meanwhile. */
  readonly hit: number;
  /** Those that were made and stored. */
  readonly built: number;
  /** Those that could not be planned or made. */
  readonly failed: number;
  /**
   * Those whose record is damaged and that count as not there: what `build` made again, what `verify`
   * found, what `gc` removed.
   */
  readonly quarantined: number;
  /** Bytes that `plan` would write, `build` wrote, `verify` read, `gc` freed, and that `stats` found. */
  readonly bytes: number;
  /** Wall time. */
  readonly seconds: number;
  /** What is behind `failed`. */
  readonly failures: readonly FeatureFailure[];
}
