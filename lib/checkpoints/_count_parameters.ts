import type { ParameterCounts } from "../policies/shapes.ts";
import type { OpenCheckpoint } from "./open.ts";

/** Running statistics are no parameters. */
const BUFFER = /\.(running_mean|running_var|num_batches_tracked)$/;

/** The numbers in the parameters that a checkpoint holds, by part. */
export function countStored({ tensors }: Pick<OpenCheckpoint, "tensors">): ParameterCounts {
  const parameters = [...tensors].filter(([key]) => !BUFFER.test(key));
  const count = (part: string) =>
    parameters.filter(([key]) => key.startsWith(part))
      .reduce((sum, [, { shape }]) => sum + shape.reduce((product, size) => product * size, 1), 0);
  const [sensorEncoder, actionExpert] = [count("sensor_encoder."), count("action_expert.")];
  return { sensorEncoder, actionExpert, total: sensorEncoder + actionExpert };
}
