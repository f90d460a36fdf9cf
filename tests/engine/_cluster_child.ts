/** One process of a cluster under test: does what its arguments say and prints one line of JSON. */
import { compile, type Engine, read, startEngine, tf, variables } from "trocar/engine";

const [what, who] = Deno.args;

async function everything({ cluster }: Engine): Promise<Record<string, unknown>> {
  const { rank, size } = cluster;
  const parameters = variables({
    weights: tf.fill([3], rank + 5),
    counts: tf.tensor1d([rank, 2], "int32"),
    none: tf.zeros([0, 4]),
    sign: tf.scalar(rank === 0 ? -0 : 1),
  });
  await cluster.broadcastVariables(parameters);
  const names: string[] = [];
  const step = compile((x: tf.Tensor) => {
    const gradients = {
      large: tf.fill([1000, 600], 0.1).mul(x.sum()).sin(),
      small: x.mul(rank + 0.1).tan(),
      other: tf.ones([2, 3]).mul(x.mean()),
      none: tf.zeros([0, 2]),
      count: tf.scalar(rank + 1, "int32"),
    };
    const sums = cluster.allReduce(gradients);
    const twice = cluster.allReduce({ small: sums.small });
    return { ...sums, twice: twice.small };
  }, { name: "step", onTrace: ({ signature }) => names.push(signature) });
  const second = compile((x: tf.Tensor) => cluster.allReduce({ small: x }).small, { name: "two" });
  // Unequal traces: rank 0 has an older signature of each function.
  if (rank === 0) compile((x: tf.Tensor) => x.square(), { name: "alone" })(tf.ones([3]));
  const steps: number[][] = [];
  const bits: string[] = [];
  for (let i = 0; i < 4; i++) {
    const x = i === 3 ? tf.tensor1d([1, rank, 3]) : tf.tensor1d([i, rank]);
    const out = step(x);
    for (const tensor of Object.values(out)) bits.push(await digest(tensor));
    steps.push([...out.other.dataSync(), ...out.count.dataSync()]);
    bits.push(await digest(second(tf.fill([2], rank / 3))));
  }
  await cluster.barrier();
  const terminated = Promise.withResolvers<string>();
  Deno.addSignalListener("SIGTERM", () => terminated.resolve("heard"));
  Deno.kill(Deno.pid, "SIGTERM");
  setTimeout(() => terminated.resolve("not heard"), 5000);
  return {
    termination: await terminated.promise,
    rank,
    size,
    variables: Object.values(read(parameters)).map((tensor) => [...tensor.dataSync()]),
    isNegativeZero: Object.is(parameters.sign.read().dataSync()[0], -0),
    sum: await cluster.sum([rank + 0.5, 1e300, 0.1]),
    together: await Promise.all([cluster.sum([1]), cluster.broadcast(rank), cluster.sum([2])]),
    value: await cluster.broadcast({ text: "nädel", from: rank }),
    nothing: await cluster.broadcast(rank === 0 ? null : 3),
    atOnce: [...cluster.allReduce({ x: tf.tensor1d([rank, 1]) }).x.dataSync()],
    steps,
    bits,
    traces: names.length,
  };
}

async function digest(tensor: tf.Tensor): Promise<string> {
  const bytes = new Uint8Array(tensor.dataSync().slice().buffer);
  return new Uint8Array(await crypto.subtle.digest("SHA-1", bytes)).toHex();
}

/** Sums for ever; the process of rank `who` ends in the middle. */
async function die({ cluster }: Engine): Promise<never> {
  const step = compile((x: tf.Tensor) => cluster.allReduce({ x: tf.ones([300_000]).mul(x) }).x);
  for (let i = 0;; i++) {
    if (i === 5 && String(cluster.rank) === who) {
      if (what === "exit") Deno.exit(0);
      if (what === "barrier") setTimeout(() => Deno.kill(Deno.pid, "SIGKILL"), 500);
      else Deno.kill(Deno.pid, "SIGKILL");
    }
    if (i === 5 && what === "barrier" && String(cluster.rank) !== who) await cluster.barrier();
    if (i === 5 && what === "barrier") await new Promise((resolve) => setTimeout(resolve, 60_000));
    step(tf.scalar(i)).dispose();
  }
}

function refused({ cluster }: Engine): Record<string, unknown> {
  const messages: string[] = [];
  const attempt = (body: () => unknown) => {
    try {
      body();
      messages.push("nothing was thrown");
    } catch (error) {
      messages.push((error as Error).message);
    }
  };
  const sum = (x: tf.Tensor) => cluster.allReduce({ x }).x;
  attempt(() => compile(sum, { name: "sum", executor: "xla" })(tf.ones([2])));
  attempt(() => cluster.allReduce({ flag: tf.scalar(true, "bool") }));
  return { messages };
}

// As every command has one before the engine starts.
Deno.addSignalListener("SIGTERM", () => {});

try {
  const engine = await startEngine({ engine: "auto", install: false, threads: 1, quiet: true });
  const result = what === "everything"
    ? await everything(engine)
    : what === "refused"
    ? refused(engine)
    : await die(engine);
  console.log(JSON.stringify(result));
  Deno.exit(0);
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message }));
  Deno.exit(1);
}
