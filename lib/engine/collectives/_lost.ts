import { TensorFlowError } from "../tensorflow/_library.ts";
import type { ClusterMember } from "./tf_config.ts";

/** `error::Code` of `error_codes.proto`: what collective ops fail with when a process is gone. */
const GONE = new Set([1, 4, 10, 13, 14]);
const ABOUT_OTHERS =
  /Collective ops is aborted|remote target|coordination service|stopped sending/i;

/** `process 1 of 2 (worker 1, 10.0.0.2:2222)`. */
export function describeProcess({ size, tasks, addresses }: ClusterMember, rank: number): string {
  const { type, index } = tasks[rank]!;
  return `process ${rank} of ${size} (${type} ${index}, ${addresses[rank]})`;
}

/**
 * Says which process an op waited for in vain.
 *
 * @param error What the op failed with.
 * @param member This process.
 * @returns The error to throw: the same, if it is about anything else.
 */
export function explainLoss(error: unknown, member: ClusterMember): unknown {
  if (!(error instanceof TensorFlowError) || !GONE.has(error.code)) return error;
  if (!ABOUT_OTHERS.test(error.message)) return error;
  const named = [...error.message.matchAll(/\/job:(\w+)\/(?:replica:\d+\/)?task:(\d+)/g)].map(
    ([, job, task]) =>
      member.tasks.findIndex(({ type, index }) => type === job && index === Number(task)),
  );
  const lost = named.find((rank) => rank >= 0 && rank !== member.rank);
  const who = lost === undefined ? "another process" : describeProcess(member, lost);
  return new TensorFlowError(
    `Cannot go on with ${member.size} processes: ${who} has ended or cannot be reached. ` +
      "See its own messages; then start all of them again.",
    error.code,
    { cause: error },
  );
}
