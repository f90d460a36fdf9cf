/** What the threads that make recordings are asked, and what they answer. */
import type { EpisodeOrder, EpisodeSeconds } from "./_make_episode.ts";

/** To a thread: an episode to make, or the wish to stop. */
export type ThreadRequest = { readonly make: EpisodeOrder } | { readonly stop: true };

/** From a thread: the seconds that an episode took, or why there is none. */
export type ThreadAnswer =
  | EpisodeSeconds
  | { readonly error: string; readonly name: string };
