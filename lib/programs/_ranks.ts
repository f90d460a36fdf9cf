/** What several processes of a program do together. */
import type { CommandContext } from "../cli/mod.ts";
import type { Cluster } from "../engine/mod.ts";

/** The context of a process that is not rank 0: rank 0 says everything once. */
export function quietContext(context: CommandContext): CommandContext {
  const silent = () => {};
  return {
    ...context,
    arguments: context.arguments,
    given: context.given,
    signal: context.signal,
    ...{ print: silent, note: silent, warn: silent },
    progress: { update: silent, clear: silent } as unknown as CommandContext["progress"],
  };
}

/** Lets rank 0 do first what the others then find done. */
export async function chief<T>(cluster: Cluster, work: () => Promise<T>): Promise<T> {
  if (cluster.rank !== 0) await cluster.barrier();
  const result = await work();
  if (cluster.rank === 0) await cluster.barrier();
  return result;
}
