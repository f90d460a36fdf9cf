/** A thread that makes episodes, one after the other. */
import { makeEpisode } from "./_make_episode.ts";
import type { ThreadAnswer, ThreadRequest } from "./_worker_protocol.ts";

/** What a thread finds as its global object. */
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<ThreadRequest>) => void;
  postMessage(answer: ThreadAnswer): void;
};
const controller = new AbortController();

thread.onmessage = async ({ data }) => {
  if ("stop" in data) return controller.abort();
  try {
    thread.postMessage(await makeEpisode(data.make, controller.signal));
  } catch (error) {
    const { message, name } = error as Error;
    thread.postMessage({ error: message, name });
  }
};
