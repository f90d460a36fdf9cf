/** The child's side of a measurement: one line of JSON in, one line of JSON out. */
import { writeText } from "../cli/terminal.ts";
import { peakRss } from "../cli/peak_rss.ts";
import type { SubjectConfig } from "./_process.ts";
import type { Subject } from "./_subject.ts";
import { type Block, measureBlock } from "./interleave.ts";

/** Readies what a configuration says. */
export type Prepare = (config: SubjectConfig) => Promise<Subject> | Subject;

type Request =
  | { readonly do: "prepare"; readonly config: SubjectConfig }
  | ({ readonly do: "measure"; readonly id: number } & Block)
  | { readonly do: "release"; readonly id: number }
  | { readonly do: "peakRss" };

/** Answers until standard input ends, then ends the process. Standard output belongs to the answers. */
export async function serve(prepare: Prepare): Promise<never> {
  console.log = console.info = console.debug = console.error;
  const subjects: (Subject | undefined)[] = [];
  for await (const line of lines()) {
    const reply = await answer(prepare, subjects, JSON.parse(line)).catch((error: unknown) => ({
      error: error instanceof Error ? error.message : String(error),
    }));
    writeText(Deno.stdout, JSON.stringify(reply) + "\n");
  }
  Deno.exit(0);
}

async function answer(
  prepare: Prepare,
  subjects: (Subject | undefined)[],
  request: Request,
): Promise<Record<string, unknown>> {
  switch (request.do) {
    case "prepare": {
      const subject = await prepare(request.config);
      return { id: subjects.push(subject) - 1, facts: subject.facts };
    }
    case "measure": {
      const { run, repeats } = subjects[request.id]!;
      const times = await measureBlock(run, request);
      return { times: times.map((time) => time / repeats) };
    }
    case "release":
      subjects[request.id]!.release();
      subjects[request.id] = undefined;
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
