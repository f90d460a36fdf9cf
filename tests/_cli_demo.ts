import {
  choiceFlag,
  engineFlag,
  integerFlag,
  listFlag,
  numberFlag,
  runCommand,
  seedFlag,
  switchFlag,
  textFlag,
} from "../lib/cli/mod.ts";

if (import.meta.main) {
  await runCommand({
    name: "demo",
    summary: "Shows its flags.",
    details: `A note at the end.
  word01  ${"a table with a long column ".repeat(6)}`,
    arguments: "[PATH...]",
    flags: {
      batchSize: integerFlag("samples per step", { default: 4, min: 1, max: 64 }),
      learningRate: numberFlag("step size", { min: 0 }),
      data: listFlag("folders", { placeholder: "ROOT" }),
      fast: switchFlag("less work"),
      precision: choiceFlag("of products", ["f32", "bf16"], { default: "f32" }),
      mode: textFlag("what to do"),
      engine: engineFlag(),
      seed: seedFlag(),
    },
    aliases: { lr: "learningRate", stepSize: "learningRate" },
    run: async (flags, context) => {
      console.log("a library chats");
      context.note("a remark");
      context.print("a result");
      context.warn("a warning");
      context.progress.update("half way");
      if (flags.mode === "where") return { document: Deno.cwd() };
      if (flags.mode === "fail") throw new TypeError("Cannot go on: x, current value is 1.");
      if (flags.mode === "found") return { document: { ok: false }, exitCode: 1 };
      if (flags.mode === "sleep") {
        console.error("ready");
        await new Promise((done) => setTimeout(done, 30_000));
      }
      if (flags.mode === "save") {
        const aborted = new Promise((done) => context.signal.addEventListener("abort", done));
        const alive = setInterval(() => {}, 1000);
        console.error("ready");
        await aborted;
        clearInterval(alive);
        context.note("saved");
      }
      return { document: { flags, arguments: context.arguments } };
    },
  });
}
