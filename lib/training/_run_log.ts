import { writing } from "../formats/_write_error.ts";
import {
  type EpochFacts,
  epochRecord,
  type StepFacts,
  stepRecord,
  systemRecord,
} from "./_records.ts";
import { METRICS } from "./run/_json_file.ts";
import { EventFile } from "./run/event_file.ts";
import { MetricsLog, type MetricsRecord, readMetrics } from "./run/metrics_log.ts";
import { type RunFolder, settingsMarkdown } from "./run/run_folder.ts";
import { type WandbOptions, WandbRun } from "./run/wandb_run.ts";

/** Everything that a run reports about itself while it trains. */
export class RunLog implements Disposable {
  readonly #run: RunFolder;
  readonly #open = new DisposableStack();
  readonly #metrics: MetricsLog;
  readonly #events: EventFile;
  readonly #wandb: WandbRun | null;
  /** Steps after which the last epoch ended that metrics has a line of. */
  readonly #reported: number | null;
  /** Whether metrics has a line already. */
  readonly #isBegun: boolean;

  /**
   * Opens the files of a run.
   *
   * @param run its folder
   * @param step steps after which it goes on; what was reported of later ones is removed
   * @param wandb of Weights & Biases; null without
   */
  constructor(run: RunFolder, step: number, wandb: WandbOptions | null) {
    this.#run = run;
    this.#metrics = this.#open.use(MetricsLog.open(run.file(METRICS), { upToStep: step }));
    const records = readMetrics(run.file(METRICS)), last = records.at(-1) ?? {};
    this.#isBegun = records.length > 0;
    this.#reported = "train/loss_epoch" in last ? Number(last.global_step) : null;
    this.#events = this.#open.use(EventFile.create(run.path, { fromStep: step }));
    if (step === 0) this.#events.text(0, "run/settings", settingsMarkdown(run.config));
    this.#wandb = wandb && this.#open.use(WandbRun.open(run.path, wandb));
  }

  /** Reports the validation loss of what the training begins with. */
  start(validationLoss: number | null): void {
    if (validationLoss === null) return;
    const record = { global_step: 0, epoch: 0, "val/loss_epoch": validationLoss };
    // TensorBoard forgets what an earlier session wrote at the step that this one begins with.
    if (this.#isBegun) this.#safely(() => this.#events.scalars(0, record));
    else this.#write(0, record);
  }

  /** Reports a step. */
  step(facts: StepFacts): void {
    const { globalStep } = facts.state, histogram = facts.report.sums["stepHistogram"];
    this.#write(globalStep, stepRecord(facts));
    if (histogram === undefined) return;
    const { timesteps } = facts.config.actionExpert;
    const edges = Array.from(
      { length: histogram.length + 1 },
      (_, bin) => bin * timesteps / histogram.length,
    );
    this.#safely(() =>
      this.#events.histogram(globalStep, "train/diffusion_t_histogram", {
        edges,
        counts: histogram,
      })
    );
  }

  /** Reports an epoch. */
  epoch(facts: EpochFacts): void {
    // An epoch may end again that was interrupted in its validation: its line is there if the process
    // was killed before its checkpoint was.
    const isReported = facts.state.globalStep === this.#reported;
    if (!isReported) this.#write(facts.state.globalStep, epochRecord(facts));
    this.#safely(() => this.#events.scalars(facts.state.globalStep, systemRecord()));
  }

  /** Reports how the training ended. */
  finish(isInterrupted: boolean): void {
    this.#wandb?.finish(isInterrupted ? 130 : 0);
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#open.dispose();
  }

  #write(step: number, record: MetricsRecord): void {
    writing(this.#run.file(METRICS), () => this.#metrics.append(record));
    this.#safely(() => this.#events.scalars(step, record));
    this.#wandb?.log(record);
  }

  #safely(write: () => void): void {
    writing(this.#run.path, write);
  }
}
