/**
 * `deno task launch`: several processes of another task, which share its work.
 *
 * @module
 */
import {
  choiceFlag,
  integerFlag,
  listFlag,
  runCommand,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import {
  findTask,
  launch,
  localPlaces,
  type Place,
  placeFromScheduler,
  taskCommand,
  visibleGpus,
  type WorkerEnd,
  workerEnvironment,
} from "../lib/launch/mod.ts";

const INTERRUPTED = 130;
/** Where a task stands that no -- separates from this command's flags, or -1. */
const unseparated = Deno.args.includes("--") ? -1 : findTask(Deno.args);

if (import.meta.main) {
  await runCommand({
    name: "launch",
    summary: "Runs a task in several processes that share its work.",
    arguments: "<TASK> [ARGUMENTS...]",
    details:
      `Tasks are the training programs, cache:build and preprocess. Between this command's flags and
the task stands --.
Examples:
  deno task launch --processes 2 -- train:stage1 --epochs 3
  mpirun -n 4 deno task launch --from mpi -- train:stage1
  srun deno task launch --from slurm -- train:stage1
The arguments after -- are those of the task, which every process gets; the processes find each other
by TF_CONFIG. Rank 0 has this command's output. The others are quiet: their warnings and errors are
marked [rank r]. Ctrl-C ends all of them in order, a second one at once. When one fails, the others
are ended, and the exit code is its. TensorFlow listens on all interfaces of the machine, without
passwords: train in networks that you trust.`,
    flags: {
      processes: integerFlag(
        "processes on this machine; with --from kubernetes, of the whole Job",
        {
          min: 1,
          max: 1024,
          defaultText: "one for each GPU, else 2",
        },
      ),
      from: choiceFlag(
        "who has started this process, which then becomes one of several",
        ["mpi", "slurm", "kubernetes"],
        { defaultText: "nobody: this command starts all of them" },
      ),
      threads: integerFlag("CPU threads of each process", {
        min: 1,
        max: 1024,
        defaultText: "OMP_NUM_THREADS, else the machine's divided by its processes",
      }),
      hosts: listFlag("with --from: machines in the order of the ranks", {
        placeholder: "HOST",
        defaultText: "what the scheduler says, else this machine",
      }),
      port: integerFlag("with --from: port of each machine's first process; others follow", {
        default: 29400,
        min: 1,
        max: 65535 - 1024,
      }),
      service: textFlag("with --from kubernetes: the pods' headless Service", {
        placeholder: "NAME",
      }),
    },
    run: async (flags, { arguments: [task, ...args], signal, warn }) => {
      if (unseparated >= 0 && args.length > 0) {
        throw new UsageError(
          `Cannot tell this command's flags from those of ${task}: -- should stand before the task, ` +
            `current value is none. Write: deno task launch --processes 2 -- ${task} ${
              args.join(" ")
            }`,
        );
      }
      const places = flags.from === undefined ? local() : [scheduled(flags.from)];
      const machine = { cpus: navigator.hardwareConcurrency, gpus: visibleGpus() };
      if (machine.gpus.length > 0 && places[0]!.localSize > machine.gpus.length) {
        warn(`${places[0]!.localSize} processes share ${machine.gpus.length} GPUs.`);
      }
      const inherited = flags.threads === undefined
        ? Deno.env.toObject()
        : { OMP_NUM_THREADS: String(flags.threads) };
      const workers = places.map((place) => ({
        rank: place.rank,
        args: taskCommand(task!, place.rank === 0 ? args : quiet(args)),
        environment: {
          ...workerEnvironment(place, machine, inherited),
          ...(flags.threads !== undefined && { OMP_NUM_THREADS: String(flags.threads) }),
        },
      }));
      const [first] = await launch(workers, {
        signal,
        onLine: (rank, line) => console.error(`[rank ${rank}] ${line}`),
        onFailure: (end) => {
          if (places.length > 1 && end.code !== INTERRUPTED && end.code !== 2) warn(describe(end));
        },
      });
      const { code } = first!;
      Deno.exit(signal.aborted ? INTERRUPTED : [0, 2, INTERRUPTED].includes(code) ? code : 1);

      function local(): Place[] {
        for (const name of ["hosts", "service"] as const) {
          if (flags[name]?.length) throw new UsageError(`--${name} needs --from.`);
        }
        return localPlaces(flags.processes ?? Math.max(2, visibleGpus().length));
      }

      function scheduled(from: "mpi" | "slurm" | "kubernetes"): Place {
        const { hosts, port, processes, service } = flags;
        if (processes !== undefined && from !== "kubernetes") {
          throw new UsageError(`Cannot use --processes: ${from} says how many there are.`);
        }
        return placeFromScheduler(from, {
          port,
          ...(hosts.length > 0 && { hosts }),
          ...(processes !== undefined && { processes }),
          ...(service !== undefined && { service }),
        }, Deno.env.toObject());
      }
    },
  }, separate(Deno.args));
}

/** A leading -- would be dropped; what follows a task is the task's. */
function separate(args: readonly string[]): readonly string[] {
  const words = unseparated < 0 ? args : args.toSpliced(unseparated, 0, "--");
  return words[0] === "--" ? ["--", ...words] : words;
}

/** Results and progress are rank 0's; warnings and errors remain. */
function quiet(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return end < 0 ? [...args, "--quiet"] : args.toSpliced(end, 0, "--quiet");
}

function describe({ rank, code, signal, lastLines }: WorkerEnd): string {
  const how = signal === null ? `exit code ${code}` : signal;
  const said = lastLines.length === 0 ? "" : `\nIts last lines:\n  ${lastLines.join("\n  ")}`;
  return `rank ${rank} has ended with ${how}; the others are ended too. The same command again goes on with ` +
    `an unfinished run.${said}`;
}
