/** `deno task bench matmul`: matrix products. */
import {
  type BenchContext,
  contest,
  describeRatio,
  digits,
  type EngineBenchmark,
  peerEntrant,
} from "./benchmark.ts";
import type { MatmulConfig } from "./_matmul_subject.ts";
import { type BenchRecord, makeRecord, type Side } from "./record.ts";
import { startWorker } from "./worker.ts";

type Shape = readonly [m: number, k: number, n: number];

const SQUARES: readonly Shape[] = [64, 128, 256, 512, 1024, 2048].map((n) => [n, n, n] as const);
/** A layer of a transformer: sensor tokens of a batch, and action tokens, by a weight. */
const TALL: readonly Shape[] = [[260, 1024, 4096], [32, 1024, 4096]];
const LARGEST = { tiny: 256, compact: 1024, reference: Infinity } as const;

/**
 * Products of float32 (tfjs's own call), of bfloat16 tensors (TensorFlow's MatMul alone), and of
 * float32 computed in bfloat16 (with the casts, as `compile()` does it). Peers: PyTorch with the same
 * dtypes and casts, NumPy in float32.
 */
export const matmul: EngineBenchmark = {
  needsEngine: true,
  summary: "matrix products, float32 and bfloat16, against PyTorch and NumPy",
  run: runMatmul,
  table: (records) => [
    ["matmul", "precision", "ms", "GFLOP/s", "PyTorch ms", "time ratio", "NumPy ms", "time ratio"],
    ...records.map(({ config, median, gflops, peers }) => {
      const [torch, numpy] = ["PyTorch", "NumPy"].map((name) =>
        peers.find(({ library }) => library === name)
      );
      return [
        `${config.m}×${config.k}×${config.n}`,
        config.casts ? `${config.precision} with casts` : String(config.precision),
        digits(median),
        digits(gflops),
        digits(torch?.median),
        describeRatio(torch),
        digits(numpy?.median),
        describeRatio(numpy),
      ];
    }),
  ],
};

async function runMatmul(context: BenchContext): Promise<BenchRecord[]> {
  const { engine, peer, options, onProgress } = context;
  const shapes = [...SQUARES, ...TALL]
    .filter((shape) => Math.max(...shape) <= LARGEST[options.preset]);
  await using worker = startWorker(engine);
  const records: BenchRecord[] = [];
  for (const config of cases(context, shapes)) {
    const { m, k, n, precision, casts } = config;
    const label = casts ? `${precision} with casts` : precision;
    onProgress(`matmul ${m}×${k}×${n} ${label}`);
    const subject = { subject: "matmul", ...config };
    const peers = [
      ...peerEntrant(peer, "PyTorch", subject),
      ...(precision === "f32" ? peerEntrant(peer, "NumPy", subject) : []),
    ];
    const times = await contest({ process: worker, config: subject }, peers, options.steps);
    const side = (index: number): Side => ({ rounds: times[index]! });
    const record = makeRecord(
      {
        name: "matmul",
        engine: engine.name,
        config: { ...config, threads: engine.threads },
        unit: "ms",
      },
      side(0),
      peers.map(({ library }, i) => ({
        library,
        version: peer!.versions[library]!,
        ...side(i + 1),
      })),
    );
    const gflops = (ms: number) => 2 * m * k * n / ms / 1e6;
    records.push({
      ...record,
      gflops: gflops(record.median),
      peers: record.peers.map((found) => ({ ...found, gflops: gflops(found.median) })),
    });
  }
  return records;
}

function cases({ engine, options, note }: BenchContext, shapes: readonly Shape[]): MatmulConfig[] {
  const modes: Pick<MatmulConfig, "precision" | "casts">[] = [];
  if (options.precision !== "bf16") modes.push({ precision: "f32", casts: false });
  if (options.precision !== "f32") {
    if (engine.name === "tensorflow") {
      modes.push({ precision: "bf16", casts: false }, { precision: "bf16", casts: true });
    } else note(`matmul: bf16 is left out, because ${engine.name} has no bfloat16`);
  }
  return shapes.flatMap(([m, k, n]) => modes.map((mode) => ({ m, k, n, ...mode })));
}
