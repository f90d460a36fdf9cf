"""What `deno task bench vision-language` is measured against: Qwen2.5-VL of Hugging Face's transformers.

Started as `python3 peer_vision_language.py THREADS`; speaks as peer_protocol.py says. It needs

    python3 -m pip install numpy torch transformers

The weights are those of a folder, or of lib/vision_language/_random_tensors.ts, bit for bit, made in
memory.
"""

import inspect
import time

import peer_protocol

THREADS = peer_protocol.limit_threads()

import peer  # noqa: E402: after the threads are limited; has NumPy and PyTorch, or None

np, torch = peer.np, peer.torch
try:
    import transformers
    from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel
except ImportError:
    transformers = None

SCALE = 2  # largest pixel value of a patch
loaded = {}


def load(config):
    """The model in bfloat16, once for all cases."""
    folder = config["folder"]
    if folder in loaded:
        return loaded[folder]
    start = time.perf_counter()
    if "tensors" in config:
        model = random_model(config)
    else:
        options = {"dtype": torch.bfloat16, "attn_implementation": "sdpa"}
        model = Qwen2_5_VLModel.from_pretrained(folder, **options)
    loaded[folder] = model.eval(), time.perf_counter() - start
    return loaded[folder]


def random_model(config):
    settings = transformers.AutoConfig.from_pretrained(config["folder"])
    try:
        from transformers.initialization import no_init_weights
    except ImportError:  # before 5.0
        from transformers.modeling_utils import no_init_weights
    with no_init_weights():
        model = Qwen2_5_VLModel._from_config(settings, dtype=torch.bfloat16, attn_implementation="sdpa")
    fill_weights(model, config)
    return model


def fill_weights(model, config):
    values = torch.from_numpy(peer.fill(0, config["block"], 1)).bfloat16().float()
    parameters, blocks = dict(model.named_parameters()), {}
    for tensor in config["tensors"]:
        key = tensor["exponent"], tensor["centre"]
        if key not in blocks:
            blocks[key] = (tensor["centre"] + values * 2.0 ** -tensor["exponent"]).bfloat16()
        name = tensor["name"]
        name = name if name.startswith("visual.") else name.replace("model.", "language_model.", 1)
        target = parameters.pop(name).data.view(-1)
        if target.numel() != np.prod(tensor["shape"]) or target.dtype != torch.bfloat16:
            raise ValueError(f"transformers has another shape or dtype of {name}")
        block, at, start = blocks[key], 0, tensor["offset"]
        while at < target.numel():
            part = block[start : start + target.numel() - at]
            target[at : at + part.numel()] = part
            at, start = at + part.numel(), 0
    if parameters:
        raise ValueError(f"transformers has other parameters too: {sorted(parameters)[:4]}")


def prepare(config):
    if transformers is None:
        raise RuntimeError("transformers is missing: python3 -m pip install transformers")
    with torch.no_grad():
        model, seconds = load(config)
    views, patches = config["views"], config["patches"]
    rows = patches["height"] * patches["width"]
    pixels = [peer.fill(i, rows * patches["channels"], SCALE).reshape(rows, -1) for i in range(views)]
    ids = torch.tensor([config["ids"]])
    inputs = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "pixel_values": torch.from_numpy(np.concatenate(pixels)),
        "image_grid_thw": torch.tensor([[1, patches["height"], patches["width"]]] * views),
        "use_cache": False,
    }
    if "mm_token_type_ids" in inspect.signature(model.forward).parameters:  # from 5.0
        inputs["mm_token_type_ids"] = (ids == model.config.image_token_id).int()

    def run():
        with torch.inference_mode():
            model.rope_deltas = None
            return model(**inputs).last_hidden_state.float().mean(1)[0].tolist()

    start = time.perf_counter()
    feature = run()
    facts = {"feature": feature, "loadSeconds": seconds, "firstCallSeconds": time.perf_counter() - start}
    return {"run": run, "repeats": 1, "facts": facts}


if __name__ == "__main__":
    has_torch = np is not None and torch is not None
    if has_torch:
        torch.set_num_threads(int(THREADS))
    versions = {
        "numpy": np and np.__version__,
        "torch": torch.__version__ if has_torch else None,
        "transformers": transformers.__version__ if has_torch and transformers else None,
    }
    peer_protocol.serve(versions, prepare, {})
