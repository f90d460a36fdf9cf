import { choiceFlag, integerFlag, listFlag, numberFlag, switchFlag, textFlag } from "../cli/mod.ts";

/** The stage, of programs that the guides call with one. */
export const STAGE_FLAGS = {
  trainingStage: choiceFlag("stage2 is a program of its own", ["stage1", "stage2"], {
    default: "stage1",
  }),
  stage1Checkpoint: textFlag(
    "run, whose best checkpoint is taken, checkpoint or .pt file that stage 2 begins with",
    {
      placeholder: "PATH",
    },
  ),
  finetuneVl: choiceFlag("what of the visual-language model is trained: in stage 1 nothing", [
    "none",
    "lora",
    "full",
  ], { defaultText: "none in stage 1, lora in stage 2" }),
  vlLr: numberFlag("peak learning rate of the visual-language model, in stage 2", {
    min: 0,
    defaultText: "1e-5; 1e-3 on the demonstration",
  }),
  visionLr: numberFlag("peak learning rate of its vision part, with --finetune-vl full", {
    min: 0,
    defaultText: "5e-6",
  }),
  loraR: integerFlag("rank of LoRA", { min: 1, max: 4096, defaultText: "16" }),
  loraAlpha: integerFlag("scale of LoRA: its additions count alpha / rank", {
    min: 1,
    defaultText: "32",
  }),
  loraDropout: numberFlag("dropout of LoRA's inputs", { min: 0, max: 0.999, defaultText: "0.05" }),
  loraTargets: listFlag(
    "layers that LoRA adds to: names that theirs end with, or one regular expression for whole names",
    { placeholder: "NAME", defaultText: "q_proj k_proj v_proj o_proj, of the text alone" },
  ),
  unfreezeLastN: integerFlag(
    "layers of the text decoder that --finetune-vl full trains, from the end; 0 trains all of the model",
    { min: 0, defaultText: "2" },
  ),
  noRecompute: switchFlag(
    "keep the intermediate values of all layers of the visual-language model: faster, more memory",
  ),
};

/** Second stages. */
export const STAGE2_FLAGS = {
  ...STAGE_FLAGS,
  trainingStage: choiceFlag("this program is stage2", ["stage1", "stage2"], { default: "stage2" }),
  allowScratchStage2: switchFlag("begin stage 2 without the policy of a first stage"),
};
