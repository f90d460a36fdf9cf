// One installation, as a process of its own: settings as JSON in, what happened as JSON out.
import { runInstall } from "../../lib/engine/install/_install.ts";
import { InstallError } from "../../lib/engine/install/mod.ts";

if (import.meta.main) {
  const { wheels, abortAfter, ...settings } = JSON.parse(Deno.args[0] ?? "{}");
  const stages = new Set<string>();
  try {
    const { folder } = await runInstall({
      ...settings,
      ...(wheels && {
        wheels: wheels.map((wheel: { members: string }) => ({
          ...wheel,
          members: new RegExp(wheel.members),
        })),
      }),
      ...(abortAfter && { signal: AbortSignal.timeout(abortAfter) }),
      onProgress: ({ stage }) => stages.add(stage),
    });
    console.log(JSON.stringify({ folder, stages: [...stages] }));
  } catch (error) {
    const { name, message } = error as Error;
    const code = error instanceof InstallError ? error.code : name;
    console.log(JSON.stringify({ code, message, stages: [...stages] }));
    Deno.exit(1);
  }
}
