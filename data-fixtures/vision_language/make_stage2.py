"""Writes stage2/: what peft and PyTorch make of the model in model/ and the adapter in lora/attn.

    pip install torch==2.13.0 transformers==5.23.0 peft==0.21.2 pillow torchvision==0.28.0
    python make_stage2.py

`lora.pt` and `full.pt` are checkpoints as the Python reference's second stage saves them: the state of
the whole model with its frozen tensors, beside that of a small policy, and AdamW's state; the adapter is
that of lora/attn, `full` has moved the last layer of the text decoder. `expected.safetensors` holds for
both the trained tensors and their first moments by the names of the state, and, as `merged.NAME`, the
matrices that peft's merge_and_unload makes in bfloat16.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "checkpoints"))

from make_vision_language import Model  # noqa: E402  (imports torchvision in its own way)
import make_checkpoints as checkpoints  # noqa: E402
import torch  # noqa: E402
from peft import PeftModel  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

ATTN = HERE / "lora/attn"


def base():
    model = Model.from_pretrained(HERE / "model", dtype=torch.bfloat16)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


def adapted():
    return PeftModel.from_pretrained(base(), ATTN, is_trainable=True)


def unfrozen():
    model = base()
    for name, parameter in model.named_parameters():
        if "language_model.layers.2." in name:
            parameter.requires_grad_(True)
            parameter.data += torch.randn_like(parameter) / 8
    return model


def save(name, model):
    """The groups of the reference: expert, sensor encoder, model; those that decay first."""
    torch.manual_seed(5)
    parts = checkpoints.perturbed(checkpoints.policy("regression", "none", sensor=False))
    groups = checkpoints.oracle.groups(parts["action_expert"], 1e-4)
    trained = {k: v for k, v in model.named_parameters() if v.requires_grad}
    plain = [k for k, v in trained.items() if v.ndim == 1 or k.endswith(".bias")]
    for keys, decay in (([k for k in trained if k not in plain], 0.01), (plain, 0.0)):
        if keys:
            groups.append({"params": [trained[k] for k in keys], "lr": 1e-5, "weight_decay": decay})
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8)
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.randn_like(parameter)
    rates = [group["lr"] for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] = 0.0  # the adapter stays that of lora/attn
    optimizer.step()
    for group, rate in zip(optimizer.param_groups, rates):
        group["lr"] = rate
    state = {f"vl_model.{k}": v for k, v in model.state_dict().items()}
    torch.save({
        "epoch": 2, "model_state_dict": {**state, **checkpoints.prefixed(parts)},
        "optimizer_state_dict": optimizer.state_dict(), "scheduler_state_dict": None,
        "val_loss": 0.25, "training_stage": "stage2",
    }, HERE / "stage2" / f"{name}.pt")
    expected = {f"vl_model.{k}": v.detach().clone() for k, v in trained.items()}
    expected.update({f"exp_avg.vl_model.{k}": optimizer.state[v]["exp_avg"].clone() for k, v in trained.items()})
    return expected


def main():
    torch.manual_seed(3)
    (HERE / "stage2").mkdir(exist_ok=True)
    expected = {**save("lora", adapted()), **save("full", unfrozen())}
    merged = adapted().merge_and_unload().state_dict()
    before = base().state_dict()
    changed = {k: v for k, v in merged.items() if not torch.equal(v, before[k])}
    expected.update({f"merged.{k}": v.contiguous() for k, v in changed.items()})
    save_file(expected, HERE / "stage2/expected.safetensors", {"format": "pt"})
    print({k: v.dtype for k, v in expected.items() if "lora" not in k and "exp" not in k}.__len__(), len(changed))


if __name__ == "__main__":
    main()
