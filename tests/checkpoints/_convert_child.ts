/** Converts two files into one folder in turn, without end; prints a dot after each. */
import { FIXTURES } from "./_convert.ts";
import { CHECKPOINT_CONVERSIONS } from "../../lib/checkpoints/convert/mod.ts";

const output = Deno.args[0]!;
for (let turn = 0;; turn++) {
  const name = ["encoder_action_final", "diffusion_best", "state_dict"][turn % 3];
  const request = { input: `${FIXTURES}/${name}.pt`, output, overwrite: true };
  await CHECKPOINT_CONVERSIONS.find((row) => row.claims(request))!.run(request);
  Deno.stdout.writeSync(new TextEncoder().encode("."));
}
