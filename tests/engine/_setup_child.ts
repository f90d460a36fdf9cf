// One set-up, as a process of its own: options as JSON in, what happened as JSON out.
import { diagnoseEngine, InstallError, setUpTensorFlow } from "../../lib/engine/install/mod.ts";

if (import.meta.main) {
  const { diagnose, ...options } = JSON.parse(Deno.args[0] ?? "{}");
  try {
    const result = diagnose ? await diagnoseEngine(options) : await setUpTensorFlow(options);
    console.log(JSON.stringify(result ?? null));
  } catch (error) {
    const { name, message } = error as Error;
    console.log(
      JSON.stringify({ code: error instanceof InstallError ? error.code : name, message }),
    );
  }
}
