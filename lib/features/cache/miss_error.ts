/** A step whose feature is not in the cache. */
export interface MissingFeature {
  /** Path of the episode. */
  readonly episode: string;
  /** Step of it. */
  readonly step: number;
}

const SHOWN_EPISODES = 3, SHOWN_STEPS = 5;

/**
 * Features were asked for that are not in the cache. Its message names episodes and steps, and the
 * command that builds them.
 */
export class FeatureMissError extends Error {
  /** `FeatureMissError`. */
  override readonly name = "FeatureMissError";
  /** Everything that is missing. */
  readonly missing: readonly MissingFeature[];

  /**
   * Makes the error.
   *
   * @param missing episodes and steps, at least one
   * @param folder of the cache
   * @param command that builds them
   */
  constructor(missing: readonly MissingFeature[], folder: string, command: string) {
    const steps = new Map<string, number[]>();
    for (const { episode, step } of missing) {
      const list = steps.get(episode);
      if (list === undefined) steps.set(episode, [step]);
      else list.push(step);
    }
    const places = [...steps].slice(0, SHOWN_EPISODES).map(([episode, list]) => {
      const more = list.length > SHOWN_STEPS ? `, … (${list.length})` : "";
      return `${episode} step ${list.slice(0, SHOWN_STEPS).join(", ")}${more}`;
    });
    const more = steps.size > SHOWN_EPISODES ? `; … (${steps.size} episodes)` : "";
    super(
      `Missing cached features for keys: ${
        places.join("; ")
      }${more}. ${missing.length} are not in ` +
        `the cache ${folder}. Build them with: ${command}`,
    );
    this.missing = missing;
  }
}
