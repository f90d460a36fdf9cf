"""Writes model/, cases/, lora/ and image/: a Qwen2.5-VL of random weights in the published layout, and
what Hugging Face's library computes from it.

    pip install torch==2.13.0 transformers==5.23.0 peft==0.21.2 pillow torchvision==0.28.0
    python make_vision_language.py [--out DIR] [--seed N]

Weights are rounded to bfloat16 and stored so, in two shards with an index; numbers are computed in
float32 ("eager" attention) from these weights, those named `bf16.` in bfloat16. `deno task
parity:qwen DIR` compares with any folder that this script writes.
"""
import argparse
import hashlib
import json
import math
import os
import pathlib
import re
import shutil
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch


def import_torchvision():
    """Without compiled operators for this PyTorch the names of all of them are declared instead."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for _ in range(50):
        try:
            import torchvision
            return library, torchvision
        except RuntimeError as error:
            name = re.search(r"operator torchvision::(\w+) does not exist", str(error)).group(1)
            library.define(f"{name}(Tensor x) -> Tensor")
            import sys
            for key in [key for key in sys.modules if key.split(".")[0] == "torchvision"]:
                del sys.modules[key]
    raise RuntimeError("torchvision cannot be imported")


KEPT, _ = import_torchvision()
from peft import LoraConfig, get_peft_model  # noqa: E402
from PIL import Image  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from torchvision.transforms.v2 import functional as vision  # noqa: E402
from transformers import Qwen2_5_VLForConditionalGeneration as Model  # noqa: E402
from transformers import Qwen2_5_VLConfig  # noqa: E402
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil  # noqa: E402
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor, smart_resize  # noqa: E402
from transformers.vision_utils import (  # noqa: E402
    get_vision_cu_seqlens, get_vision_position_ids, get_vision_window_index)

from make_tokenizer import TEXTS, document, merge_of, spell, write  # noqa: E402

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

START, END, PAD_IMAGE, PAD = 302, 303, 305, 290
CONFIG = {
    "architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl",
    "attention_dropout": 0.0, "bos_token_id": PAD, "eos_token_id": 291,
    "vision_start_token_id": START, "vision_end_token_id": END, "vision_token_id": 304,
    "image_token_id": PAD_IMAGE, "video_token_id": 306, "hidden_act": "silu", "hidden_size": 48,
    "initializer_range": 0.02, "intermediate_size": 80, "max_position_embeddings": 4096,
    "max_window_layers": 3, "num_attention_heads": 4, "num_hidden_layers": 3, "num_key_value_heads": 2,
    "rms_norm_eps": 1e-6, "rope_theta": 1e6, "rope_scaling": {"type": "mrope", "mrope_section": [1, 2, 3]},
    "sliding_window": 4096, "tie_word_embeddings": True, "torch_dtype": "bfloat16", "use_cache": True,
    "use_sliding_window": False, "vocab_size": 320,
    "vision_config": {
        "depth": 4, "hidden_act": "silu", "hidden_size": 32, "intermediate_size": 44, "num_heads": 2,
        "in_chans": 3, "out_hidden_size": 48, "patch_size": 14, "spatial_merge_size": 2,
        "spatial_patch_size": 14, "window_size": 112, "fullatt_block_indexes": [1, 3],
        "tokens_per_second": 2, "temporal_patch_size": 2},
}
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
WIDE = (3136, 12845056)
RANK, ALPHA = 2, 4


def dump(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=None, separators=(",", ":")) + "\n")


def save(path, tensors):
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {}
    for key, value in tensors.items():
        value = torch.as_tensor(np.asarray(value)) if not isinstance(value, torch.Tensor) else value.detach()
        value = value.float() if value.dtype in (torch.bfloat16, torch.float64) else value
        plain[key] = value.contiguous().clone()
    save_file(plain, str(path), metadata={"format": "pt"})
    path.chmod(0o644)


def file_name(key):
    """Module names in memory to names on disk."""
    return key.replace("model.visual.", "visual.").replace("model.language_model.", "model.")


# ---- model ------------------------------------------------------------------------------------------


def random_model(rng):
    model = Model(Qwen2_5_VLConfig(**CONFIG))
    tensors = {}
    for key, value in model.state_dict().items():
        name, shape = file_name(key), tuple(value.shape)
        if name == "lm_head.weight":
            continue
        draw = rng.standard_normal(shape)
        if len(shape) == 1:
            draw = 0.3 * draw if name.endswith("bias") else 1 + 0.25 * draw
        elif "embed_tokens" not in name:
            gain = 2 if "patch_embed" in name else 1.5 if re.search("q_proj|k_proj|qkv", name) else 1
            draw = gain * draw / math.sqrt(math.prod(shape[1:]))
        tensors[name] = torch.tensor(draw, dtype=torch.float32).bfloat16()
    return tensors


def write_model(folder, tensors):
    shutil.rmtree(folder, ignore_errors=True)
    dump(folder / "config.json", CONFIG)
    dump(folder / "preprocessor_config.json", {
        "min_pixels": 3136, "max_pixels": 12544, "patch_size": 14, "temporal_patch_size": 2, "merge_size": 2,
        "image_mean": MEAN, "image_std": STD, "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": "Qwen2_5_VLProcessor"})
    parts = {"model-00001-of-00002.safetensors": lambda name: not name.startswith("visual."),
             "model-00002-of-00002.safetensors": lambda name: name.startswith("visual.")}
    places = {}
    for file, belongs in parts.items():
        chosen = {name: value for name, value in tensors.items() if belongs(name)}
        save_file(chosen, str(folder / file), metadata={"format": "pt"})
        (folder / file).chmod(0o644)
        places.update({name: file for name in chosen})
    size = sum(value.numel() * 2 for value in tensors.values())
    dump(folder / "model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": places})
    write_tokenizer(folder)


def write_tokenizer(folder):
    """Bytes, and the 24 pairs of bytes that are merged most often in some texts."""
    ranks = {bytes([b]): b for b in range(256)}
    words = [[bytes([b]) for b in word] for text in TEXTS for word in re.findall(r" ?[A-Za-z]+", text) for word in [word.encode()]]
    while len(ranks) < 280:
        counts = {}
        for word in words:
            for pair in zip(word, word[1:]):
                counts[pair] = counts.get(pair, 0) + 1
        pair = max(sorted(counts), key=counts.get)
        ranks[pair[0] + pair[1]] = len(ranks)
        for word in words:
            for i in range(len(word) - 1, 0, -1):
                if (word[i - 1], word[i]) == pair:
                    word[i - 1:i + 1] = [pair[0] + pair[1]]
    merges = [merge_of(token, ranks) for token in ranks if len(token) > 1]
    special = {"<|endoftext|>": PAD, "<|im_end|>": 291, "<|im_start|>": 292, "<|vision_start|>": START,
               "<|vision_end|>": END, "<|vision_pad|>": 304, "<|image_pad|>": PAD_IMAGE, "<|video_pad|>": 306}
    write(folder, document({spell(token): rank for token, rank in ranks.items()}, merges, special))


def load(folder, dtype):
    model, info = Model.from_pretrained(str(folder), dtype=dtype, attn_implementation="eager", output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    return model.eval()


# ---- pictures ---------------------------------------------------------------------------------------


def picture(width, height, salt):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    ramp = x * (2 + c) + y * (3 - c) + 9 * ((x >> 4) ^ (y >> 3)) + 31 * salt
    noise = (x * 7919 + y * 104729 + c * 50021 + salt * 977) % 65521 % 23
    return ((ramp + noise) & 255).astype(np.uint8)


def resized(image, height, width, backend):
    if backend == "pil":
        return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))
    tensor = torch.as_tensor(image).permute(2, 0, 1).contiguous()
    bicubic = vision.InterpolationMode.BICUBIC
    return vision.resize(tensor, [height, width], bicubic, antialias=True).permute(1, 2, 0).numpy()


def pixels(image, backend, low=WIDE[0], high=WIDE[1]):
    kind = Qwen2VLImageProcessorPil if backend == "pil" else Qwen2VLImageProcessor
    made = kind(min_pixels=low, max_pixels=high)(images=[Image.fromarray(image)], return_tensors="pt")
    return made["pixel_values"], made["image_grid_thw"]


def write_images(folder):
    shutil.rmtree(folder, ignore_errors=True)
    cases = {}
    for name, width, height, salt, low, high in (("enlarged", 20, 17, 4, *WIDE), ("odd", 45, 61, 1, *WIDE),
                                                 ("reduced", 160, 100, 3, 784, 4000)):
        image, tensors = picture(width, height, salt), {}
        h, w = smart_resize(height, width, 28, low, high)
        tensors["rgb"] = image
        for backend in ("pil", "torchvision"):
            values, grid = pixels(image, backend, low, high)
            tensors[f"resized_{backend}"], tensors[f"pixel_values_{backend}"] = resized(image, h, w, backend), values
        cases[name] = {"width": width, "height": height, "salt": salt, "min_pixels": low, "max_pixels": high,
                       "resized_height": h, "resized_width": w, "grid_thw": grid[0].tolist()}
        save(folder / f"{name}.safetensors", tensors)
    sizes = [(720, 1280), (360, 640), (480, 640), (1080, 1920), (336, 616), (1, 1), (42, 70), (126, 182), (10, 200),
             (100, 20000), (13, 2600), (5000, 27), (1, 201), (14, 14)]
    rows = []
    for low, high in (WIDE, (3136, 230400), (230400, 230400), (3136, 50176)):
        for height, width in sizes:
            row = {"height": height, "width": width, "min_pixels": low, "max_pixels": high}
            try:
                row["resized_height"], row["resized_width"] = smart_resize(height, width, 28, low, high)
            except ValueError as error:
                row["error"] = str(error)
            rows.append(row)
    image = picture(1280, 720, 5)
    sha = lambda values: hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()  # noqa: E731
    real = {"width": 1280, "height": 720, "salt": 5, "min_pixels": 230400, "max_pixels": 230400,
            "resized_height": 336, "resized_width": 616, "rgb_sha256": sha(image)}
    for backend in ("pil", "torchvision"):
        real[f"resized_{backend}_sha256"] = sha(resized(image, 336, 616, backend))
    dump(folder / "image.json", {"mean": MEAN, "std": STD, "cases": cases, "smart_resize": rows,
                                 "real_1280x720_to_616x336": real})


# ---- cases ------------------------------------------------------------------------------------------

CASES = {
    "one_image": ([([(84, 140)], 6, 9)], None),
    "batch_left": ([([(112, 112), (56, 84)], 3, 5), ([(56, 56)], 4, 8), ([], 6, 4)], "left"),
    "batch_right": ([([(56, 84)], 3, 5), ([], 6, 4)], "right"),
}


def inputs_of(rows, side, rng):
    prompts, values, grids, images = [], [], [], []
    for sizes, before, after in rows:
        ids = rng.integers(0, 280, before).tolist()
        for height, width in sizes:
            images.append(picture(width, height, 10 + len(images)))
            made, grid = pixels(images[-1], "pil")
            values.append(made)
            grids.append(grid)
            ids += [START] + [PAD_IMAGE] * (made.shape[0] // 4) + [END]
        prompts.append(ids + rng.integers(0, 280, after).tolist())
    longest = max(map(len, prompts))
    fill = [(longest - len(ids), ids) for ids in prompts]
    left = side == "left"
    case = {"input_ids": torch.tensor([[PAD] * n + ids if left else ids + [PAD] * n for n, ids in fill]),
            "attention_mask": torch.tensor([[0] * n + [1] * len(ids) if left else [1] * len(ids) + [0] * n for n, ids in fill])}
    case["mm_token_type_ids"] = (case["input_ids"] == PAD_IMAGE).long()
    if images:
        case["pixel_values"], case["image_grid_thw"] = torch.cat(values), torch.cat(grids)
    return case, images


def call(model, case):
    base = model.model
    base.rope_deltas = None
    got, hooks = {}, []

    def watch(module, name, pick=lambda output: output):
        hooks.append(module.register_forward_hook(lambda _m, _i, output: got.__setitem__(name, pick(output).detach().clone())))

    if "pixel_values" in case:
        watch(base.visual.patch_embed, "vision.patch_embed")
        watch(base.visual.rotary_pos_emb, "vision.rotary_cos", lambda output: output[0])
        watch(base.visual.rotary_pos_emb, "vision.rotary_sin", lambda output: output[1])
        for i, block in enumerate(base.visual.blocks):
            watch(block, f"vision.block.{i}")
        watch(base.visual.merger, "vision.merger_window_order")
    text = base.language_model
    watch(text.rotary_emb, "text.rotary_cos", lambda output: output[0])
    watch(text.rotary_emb, "text.rotary_sin", lambda output: output[1])
    for i, layer in enumerate(text.layers):
        watch(layer, f"text.layer.{i}", lambda output: output[0] if isinstance(output, tuple) else output)
    watch(text.norm, "text.last_hidden_state")
    with torch.no_grad():
        out = model(**case, use_cache=False, output_hidden_states=True)
    for hook in hooks:
        hook.remove()
    got["text.inputs_embeds"] = out.hidden_states[0]
    if "pixel_values" in case:
        features = base.get_image_features(case["pixel_values"], case["image_grid_thw"], return_dict=True)
        got["vision.image_features"] = torch.cat(list(features.pooler_output)).detach()
    got.update(pooled(got["text.last_hidden_state"], case))
    last = last_places(case)
    got["logits.last_token"] = out.logits[torch.arange(len(last)), last].detach()
    return got


def last_places(case):
    length = case["attention_mask"].shape[1]
    return length - 1 - case["attention_mask"].flip(1).argmax(1)


def pooled(hidden, case):
    hidden, mask = hidden.float(), case["attention_mask"][..., None].float()
    image = mask * (case["input_ids"] == PAD_IMAGE)[..., None]
    last = last_places(case)
    return {"pool.mean_all": (hidden * mask).sum(1) / mask.sum(1),
            "pool.mean_image": (hidden * image).sum(1) / image.sum(1).clamp(min=1),
            "pool.last_token": hidden[torch.arange(len(last)), last]}


def write_cases(folder, model, low, rng):
    shutil.rmtree(folder, ignore_errors=True)
    made = {}
    for name, (rows, side) in CASES.items():
        case, images = inputs_of(rows, side, rng)
        made[name] = case
        tensors = {**case, **{f"image.{k}": image for k, image in enumerate(images)}}
        keep = case["attention_mask"][..., None]
        known = {k: case[k] for k in ("mm_token_type_ids", "image_grid_thw", "attention_mask")}
        tensors["position_ids"], tensors["rope_deltas"] = model.model.get_rope_index(case["input_ids"], **known)
        grid = case["image_grid_thw"]
        tensors["vision.patch_row_col"] = get_vision_position_ids(grid, 2)
        tensors["vision.window_index"], bounds = get_vision_window_index(grid, 2, 112, 14)
        tensors["vision.cu_window_seqlens"] = torch.unique_consecutive(torch.as_tensor(bounds))
        tensors["vision.cu_seqlens"] = get_vision_cu_seqlens(grid)
        for key, value in call(model, case).items():
            tensors[key] = value * keep if key.startswith("text.") and "rotary" not in key else value
        narrow = call(low, case)
        for key in ("text.last_hidden_state", "vision.image_features", "pool.mean_all", "pool.last_token"):
            value = narrow[key].float()
            tensors[f"bf16.{key}"] = value * keep if key.startswith("text.") else value
        tensors["position_ids"] = tensors["position_ids"] * case["attention_mask"][None]
        save(folder / f"{name}.safetensors", tensors)
    dump(folder / "cases.json", {name: {"padding": side} for name, (_, side) in CASES.items()})
    write_units(folder, model, rng)
    write_real(folder, model)
    return made


def write_units(folder, model, rng):
    draw = lambda *shape: torch.tensor(rng.standard_normal(shape), dtype=torch.float32)  # noqa: E731
    first, units = model.model.language_model.layers[0], {}
    z = draw(2, 5, 48)
    for name, module, x in (("patch_embed", model.model.visual.patch_embed, draw(8, 1176)),
                            ("rmsnorm", first.input_layernorm, z), ("rmsnorm_small", first.input_layernorm, 1e-3 * z),
                            ("mlp", first.mlp, z), ("merger", model.model.visual.merger, draw(8, 32))):
        with torch.no_grad():
            units[f"{name}.input"], units[f"{name}.output"] = x, module(x)
    save(folder / "units.safetensors", units)


def write_real(folder, model):
    """Positions and windows at the sizes of the published model, which do not depend on weights."""
    tensors = {"text.inv_freq": 1 / 1e6 ** (torch.arange(0, 128, 2, dtype=torch.float) / 128),
               "vision.inv_freq": 1 / 1e4 ** (torch.arange(0, 40, 2, dtype=torch.float) / 40)}
    for name, count, height, width in (("view_24x44", 1, 24, 44), ("five_views_24x44", 5, 24, 44),
                                       ("view_26x46", 1, 26, 46), ("view_52x92", 1, 52, 92)):
        grid = torch.tensor([[1, height, width]] * count)
        if count == 1:
            tensors[f"{name}.patch_row_col"] = get_vision_position_ids(grid, 2).int()
        order, bounds = get_vision_window_index(grid, 2, 112, 14)
        tensors[f"{name}.window_index"] = order.int()
        tensors[f"{name}.cu_window_seqlens"] = torch.unique_consecutive(torch.as_tensor(bounds)).int()
        tensors[f"{name}.cu_seqlens"] = get_vision_cu_seqlens(grid).int()
        ids = torch.tensor([[0] * 14 + ([START] + [PAD_IMAGE] * (height * width // 4) + [END]) * count + [0] * 22])
        positions, delta = model.model.get_rope_index(ids, mm_token_type_ids=(ids == PAD_IMAGE).long(),
                                                      image_grid_thw=grid, attention_mask=torch.ones_like(ids))
        tensors[f"{name}.position_ids"], tensors[f"{name}.rope_delta"] = positions.int(), delta.int()
    save(folder / "real_shapes.safetensors", tensors)


# ---- adapters ---------------------------------------------------------------------------------------

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
ADAPTERS = {"attn": (ATTENTION, "one_image"), "attn_batch": (ATTENTION, "batch_left"),
            "seven_everywhere": ([*ATTENTION, "gate_proj", "up_proj", "down_proj"], "one_image")}


def write_adapters(folder, model_folder, cases, rng):
    shutil.rmtree(folder, ignore_errors=True)
    recorded = {}
    for name, (targets, case_name) in ADAPTERS.items():
        case, place = cases[case_name], folder / name
        config = LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, bias="none", target_modules=targets, task_type="CAUSAL_LM")
        model = get_peft_model(load(model_folder, torch.float32), config).eval()
        trained = {}
        for key, value in model.named_parameters():
            if value.requires_grad:
                module, part = re.fullmatch(r"base_model\.model\.(.+)\.(lora_[AB])\.default\.weight", key).groups()
                trained[f"{file_name(module + '.')}{part}"] = value
        for value in trained.values():
            scale = 0.15 if value.shape[1] == RANK else 1 / math.sqrt(value.shape[1])
            value.data.copy_(torch.tensor(scale * rng.standard_normal(tuple(value.shape)), dtype=torch.float32))
        place.mkdir(parents=True)
        with tempfile.TemporaryDirectory() as scratch:
            model.peft_config["default"].base_model_name_or_path = "random"
            model.save_pretrained(scratch)
            shutil.copy(pathlib.Path(scratch) / "adapter_model.safetensors", place)
            settings = json.loads((pathlib.Path(scratch) / "adapter_config.json").read_text())
        (place / "adapter_model.safetensors").chmod(0o644)
        dump(place / "adapter_config.json", {**settings, "target_modules": sorted(settings["target_modules"])})
        target = torch.tensor(rng.standard_normal((case["input_ids"].shape[0], 48)), dtype=torch.float32)
        tensors, losses = {"target": target}, []
        tensors.update({f"init.{key}": value.clone() for key, value in trained.items()})
        optimizer = torch.optim.AdamW(trained.values(), lr=1e-3, weight_decay=0)
        for step in range(1, 5):
            base = model.get_base_model().model
            base.rope_deltas = None
            output = pooled(base(**case, use_cache=False).last_hidden_state, case)["pool.mean_all"]
            loss = 0.5 * ((output - target) ** 2).sum()
            losses.append(loss.item())
            if step == 1:
                tensors["pooled"] = output.clone()
            if step == 4:
                break
            optimizer.zero_grad()
            loss.backward()
            tensors.update({f"grad{step}.{key}": value.grad.clone() for key, value in trained.items()})
            optimizer.step()
            if step != 2:
                tensors.update({f"step{step}.{key}": value.clone() for key, value in trained.items()})
        save(place / "expected.safetensors", tensors)
        recorded[name] = {"case": case_name, "trainable": sum(value.numel() for value in trained.values()),
                          "losses_before_each_step_and_after_the_third": losses}
    dump(folder / "lora.json", {"r": RANK, "alpha": ALPHA, "adapters": recorded})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    parser.add_argument("--seed", type=int, default=9)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    folder = args.out / "model"
    write_model(folder, random_model(rng))
    cases = write_cases(args.out / "cases", load(folder, torch.float32), load(folder, torch.bfloat16), rng)
    write_adapters(args.out / "lora", folder, cases, rng)
    write_images(args.out / "image")


if __name__ == "__main__":
    main()
