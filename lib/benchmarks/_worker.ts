/**
 * The child process in which trocar's engine is measured: one line of JSON in, one line of JSON out.
 * Its arguments are the engine's name and the number of threads, 0 for the engine's own choice.
 *
 * @module
 */
import { writeText } from "../cli/mod.ts";
import { type Engine, type EngineName, startEngine } from "../engine/mod.ts";
import { dispatchSubject } from "./_dispatch_subject.ts";
import { matmulSubject } from "./_matmul_subject.ts";
import { peakRss } from "./_memory.ts";
import type { SubjectConfig } from "./_process.ts";
import { stepSubject } from "./_step_subject.ts";
import type { Subject } from "./_subject.ts";
import { type Block, measureBlock } from "./interleave.ts";

const SUBJECTS: Record<string, (engine: Engine, config: never) => Promise<Subject>> = {
  matmul: matmulSubject,
  dispatch: dispatchSubject,
  step: (_engine, config) => stepSubject(config),
};

type Request =
  | { readonly do: "prepare"; readonly config: SubjectConfig }
  | ({ readonly do: "measure"; readonly id: number } & Block)
  | { readonly do: "release"; readonly id: number }
  | { readonly do: "peakRss" };

const subjects = new Map<number, Subject>();
let next = 0;

async function answer(engine: Engine, request: Request): Promise<Record<string, unknown>> {
  switch (request.do) {
    case "prepare": {
      const subject = await SUBJECTS[request.config.subject]!(engine, request.config as never);
      subjects.set(next, subject);
      return { id: next++, facts: subject.facts };
    }
    case "measure": {
      const { run, repeats } = subjects.get(request.id)!;
      const times = await measureBlock(run, request);
      return { times: times.map((time) => time / repeats) };
    }
    case "release":
      subjects.get(request.id)!.release();
      subjects.delete(request.id);
      return {};
    case "peakRss":
      return { bytes: peakRss() };
  }
}

async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const pieces = (rest + text).split("\n");
    rest = pieces.pop()!;
    yield* pieces;
  }
}

if (import.meta.main) {
  // Standard output belongs to the answers.
  console.log = console.info = console.debug = console.error;
  const [name, threads] = [Deno.args[0] as EngineName, Number(Deno.args[1])];
  const options = threads > 0 ? { threads } : {};
  const engine = await startEngine({ engine: name, install: false, quiet: true, ...options });
  for await (const line of lines()) {
    const reply = await answer(engine, JSON.parse(line)).catch((error: unknown) => ({
      error: error instanceof Error ? error.message : String(error),
    }));
    writeText(Deno.stdout, JSON.stringify(reply) + "\n");
  }
  Deno.exit(0);
}
