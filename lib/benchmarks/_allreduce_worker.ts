/** One process of `bench allreduce`. Its argument is its `TF_CONFIG`. */
import { writeText } from "../cli/terminal.ts";
import { startEngine, tf } from "../engine/mod.ts";

interface Request {
  readonly megabytes: number;
  readonly runs: number;
}

if (import.meta.main) {
  Deno.env.set("TF_CONFIG", Deno.args[0]!);
  const { cluster } = await startEngine({
    engine: "tensorflow",
    install: false,
    quiet: true,
    threads: 1,
  });
  const measure = async ({ megabytes, runs }: Request): Promise<number[]> => {
    const x = tf.ones([megabytes * 250_000]);
    const times: number[] = [];
    for (let run = 0; run <= runs; run++) {
      await cluster.barrier();
      const start = performance.now();
      cluster.allReduce({ x }).x.dispose();
      times.push(performance.now() - start);
    }
    x.dispose();
    return times.slice(1); // the first finds cold memory
  };
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const answer = await measure(JSON.parse(line)).then(
        (times) => ({ times }),
        (error: Error) => ({ error: error.message }),
      );
      writeText(Deno.stdout, JSON.stringify(answer) + "\n");
    }
  }
  Deno.exit(0);
}
