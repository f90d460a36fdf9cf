/**
 * The child process in which trocar's engine is measured. Its arguments are the engine's name and
 * the number of threads, 0 for the engine's own choice.
 *
 * @module
 */
import { type Engine, type EngineName, startEngine } from "../engine/mod.ts";
import { dispatchSubject } from "./_dispatch_subject.ts";
import { matmulSubject } from "./_matmul_subject.ts";
import { stepSubject } from "./_step_subject.ts";
import { visionLanguageSubject } from "./_vision_language_subject.ts";
import type { Subject } from "./_subject.ts";
import { serve } from "./_worker_loop.ts";

const SUBJECTS: Record<string, (engine: Engine, config: never) => Promise<Subject>> = {
  matmul: matmulSubject,
  dispatch: dispatchSubject,
  "vision-language": (_engine, config) => visionLanguageSubject(config),
  step: (_engine, config) => stepSubject(config),
};

if (import.meta.main) {
  const [name, threads] = [Deno.args[0] as EngineName, Number(Deno.args[1])];
  const options = threads > 0 ? { threads } : {};
  const engine = await startEngine({ engine: name, install: false, quiet: true, ...options });
  await serve((config) => SUBJECTS[config.subject]!(engine, config as never));
}
