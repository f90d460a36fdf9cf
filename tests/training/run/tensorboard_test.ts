import assert from "node:assert/strict";
import { EventFile } from "../../../lib/training/run/event_file.ts";
import { python } from "../../episodes/_python.ts";
import { pythonHas } from "./_python.ts";

/** As TensorBoard's server reads: scalars are tensors too. */
const READ = `
import json, sys
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.util import tensor_util
events = EventAccumulator(sys.argv[1], tensor_size_guidance={
    "scalars": 0, "histograms": 0, "text": 0,
})
events.Reload()
def value(tensor):
    array = tensor_util.make_ndarray(tensor)
    return array.item().decode() if array.dtype == object else array.tolist()
print(json.dumps({
    tag: {
        "plugin": events.SummaryMetadata(tag).plugin_data.plugin_name,
        "values": [[e.step, value(e.tensor_proto)] for e in events.Tensors(tag)],
    } for tag in events.Tags()["tensors"]
}))
`;
import { temporaryFolder } from "../../_temporary.ts";

Deno.test({
  name: "TensorBoard reads scalars, histograms and texts, and no step twice of a run that went on",
  ignore: !pythonHas("tensorboard"),
  fn: () => {
    const folder = temporaryFolder();
    const write = (fromStep: number, steps: readonly number[], scale: number) => {
      using events = EventFile.create(folder, { fromStep });
      if (fromStep === 0) events.text(0, "run/settings", `seed ${scale}`);
      for (const step of steps) {
        events.scalars(step, { "train/loss_step": scale * step, "val/loss_epoch": NaN });
        events.histogram(step, "train/diffusion_t", { edges: [0, 2, 4], counts: [scale, step] });
      }
    };
    write(0, [1, 2, 3], 1); // killed before its first checkpoint
    write(0, [1, 2, 3, 4], 2); // killed after a checkpoint of step 3
    write(3, [4, 5], 4);
    {
      using events = EventFile.create(folder, { fromStep: 5 });
      events.text(6, "run/settings", "**größe** 3");
    }
    const found = [[1, 2], [2, 2], [3, 2], [4, 4], [5, 4]] as const;
    assert.deepEqual(python(READ, folder), {
      "train/loss_step": {
        plugin: "scalars",
        values: found.map(([step, scale]) => [step, scale * step]),
      },
      "train/diffusion_t": {
        plugin: "histograms",
        values: found.map(([step, scale]) => [step, [[0, 2, scale], [2, 4, step]]]),
      },
      "run/settings": { plugin: "text", values: [[0, "seed 2"], [6, "**größe** 3"]] },
    });
  },
});
