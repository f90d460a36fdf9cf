import { formatDuration } from "../cli/mod.ts";

/** Tells the time since the last call, in words or in seconds. */
export function stopwatch() {
  let last = performance.now();
  const seconds = () => {
    const now = performance.now(), spent = (now - last) / 1000;
    last = now;
    return spent;
  };
  return Object.assign(() => formatDuration(seconds()), { seconds });
}
