/** What a launched process does under test, as its arguments say for its rank. */
const { task } = JSON.parse(Deno.env.get("TF_CONFIG")!) as { task: { index: number } };
const [what, folder] = Deno.args;
const rank = task.index;
Deno.writeTextFileSync(`${folder}/${rank}`, String(Deno.pid));
const forever = () => new Promise(() => setInterval(() => {}, 1000));
Deno.addSignalListener("SIGINT", () => {
  if (what === "stubborn") return;
  Deno.writeTextFileSync(`${folder}/${rank}.saved`, "");
  Deno.exit(130);
});
Deno.addSignalListener("SIGTERM", () => what === "stubborn" ? undefined : Deno.exit(143));
console.log(JSON.stringify({ rank, threads: Deno.env.get("OMP_NUM_THREADS") }));
console.error(`line of rank ${rank}`);
if (what === "fail" && rank === 1) Deno.exit(7);
if (what !== "end") await forever();
