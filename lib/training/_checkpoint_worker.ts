/** The thread of `CheckpointWriter`: writes one checkpoint after the other. */
import { arraysOf, type RunCheckpoint, writeRunCheckpoint } from "./_write_run_checkpoint.ts";

/** What it answers: null, or why it could not. */
export type WriteReply = { readonly failure: string | null };

const scope = self as unknown as {
  onmessage: (event: MessageEvent<RunCheckpoint>) => void;
  postMessage(reply: WriteReply): void;
};

scope.onmessage = async ({ data }) => {
  let failure: string | null = null;
  try {
    await writeRunCheckpoint(data);
  } catch (error) {
    failure = (error as Error).message;
  }
  for (const array of arraysOf(data.input)) {
    (array.data.buffer as ArrayBuffer).transfer(0); // frees it now, before there is a next copy
  }
  scope.postMessage({ failure });
};
