"""Writes tokenizer/: the part of Qwen's vocabulary that some texts need, and the recorded token ids.

    pip install tokenizers==0.23.1
    pip download --no-deps dashscope==2.0.2 && unzip dashscope-2.0.2-*.whl 'dashscope/resources/*'
    python make_tokenizer.py dashscope/resources/qwen.tiktoken

A token of the whole vocabulary is kept if its bytes occur in one of the texts, so that every merge
that could be made in them still is, and their ids are those of the whole vocabulary. The vocabulary
is that of the package dashscope (Apache-2.0).
"""
import base64
import hashlib
import json
import pathlib
import sys

from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).parent
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")
SPECIAL = """<|endoftext|> <|im_start|> <|im_end|> <|object_ref_start|> <|object_ref_end|> <|box_start|>
<|box_end|> <|quad_start|> <|quad_end|> <|vision_start|> <|vision_end|> <|vision_pad|> <|image_pad|>
<|video_pad|> <tool_call> </tool_call> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|>
<|repo_name|> <|file_sep|>""".split()
FIRST_SPECIAL = 151643
SYSTEM = "system\nYou are a helpful assistant."
TEXTS = [
    "Hello, world!", "Hello", "Describe the image.", "Move left.", "Insert the needle.", "user\n", "assistant\n",
    "Insert the needle into the eye phantom at 0.35 mm/s.", "You are a helpful assistant.", "1234567890",
    "3.14159 -42 +7e-3", "don't CAN'T we'll I'VE she's IT'S", "a  b   c    d", "   leading and trailing   ",
    "line1\nline2\r\nline3\n\n\nend", "\t\tindent\n    code()",
    "\uc548\ub155\ud558\uc138\uc694, \ub85c\ubd07 \ud314\uc744 \uc67c\ucabd\uc73c\ub85c \uc6c0\uc9c1\uc5ec \uc8fc\uc138\uc694.",
    "\ubc14\ub298\uc744 2.5mm \uc0bd\uc785", "\uac00", "\U0001f600\U0001f916\U0001f469\u200d\U0001f52c", "na\u00efve caf\u00e9",
    "\u6f22\u5b57\u3068\u30ab\u30bf\u30ab\u30ca\u3001\u4e2d\u6587\u3002", "snake_case camelCase kebab-case",
    "()[]{}<>!?;:...", "x\u00b2+y\u00b3\u2264\u221e \u0661\u0662\u0663", "A\u00a0B\u3000C\u0085D\ufeffE\u200bF",
    "Perform Green point insertion task", "Perform Eye trocar insertion task",
]
# Recorded beside them: what normalisation joins, and special tokens inside a text.
MORE = ["\u110b\u1161\u11ab\u1102\u1167\u11bc cafe\u0301", "a<|image_pad|>b<|im_end|>\n"]


def byte_letters():
    """The letter that stands for each byte in files of byte-level BPE."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in shown]
    return {**{b: chr(b) for b in shown}, **{b: chr(256 + i) for i, b in enumerate(hidden)}}


LETTERS = byte_letters()


def spell(token):
    return "".join(LETTERS[b] for b in token)


def merge_of(token, ranks):
    """The two tokens that are merged into this one: earlier merges are made until two are left."""
    parts = [bytes([b]) for b in token]
    while len(parts) > 2:
        pairs = [(ranks.get(parts[i] + parts[i + 1], 1 << 30), i) for i in range(len(parts) - 1)]
        rank, i = min(pairs)
        assert rank < ranks[token], token
        parts[i:i + 2] = [parts[i] + parts[i + 1]]
    return [spell(part) for part in parts]


def merges_of(tokens, ranks):
    return [merge_of(token, ranks) for token in tokens if len(token) > 1]


def document(vocabulary, merges, specials):
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": t.startswith("<|")} for t, i in specials.items()],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}]},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": vocabulary, "merges": merges},
    }


def write(folder, value):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("],[", "],\n[") + "\n")
    config = {"tokenizer_class": "Qwen2Tokenizer", "model_max_length": 131072, "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def main():
    data = pathlib.Path(sys.argv[1]).read_bytes()
    ranks = {base64.b64decode(a): int(b) for a, b in (line.split() for line in data.splitlines() if line)}
    texts = [t.encode() for t in [*TEXTS, SYSTEM, "a\n", "b\n"]]
    within = {t[i:j] for t in texts for i in range(len(t)) for j in range(i + 1, len(t) + 1)}
    kept = {t: r for t, r in sorted(ranks.items(), key=lambda item: item[1]) if len(t) == 1 or t in within}
    specials = {t: FIRST_SPECIAL + i for i, t in enumerate(SPECIAL)}
    write(HERE / "tokenizer", document({spell(t): r for t, r in kept.items()}, merges_of(kept, kept), specials))
    # Ids are recorded with the whole vocabulary.
    whole = document({spell(t): r for t, r in ranks.items()}, merges_of(ranks, ranks), specials)
    tokenizer = Tokenizer.from_str(json.dumps(whole))
    vectors = [{"text": t, "ids": tokenizer.encode(t, add_special_tokens=False).ids} for t in [*TEXTS, *MORE]]
    layouts = []
    for images, text, answer, pads in ((0, "Hello", False, None), (1, "Describe the image.", True, [4]),
                                       (2, "Move left.", False, [3, 2]), (5, "Insert the needle.", False, [264] * 5)):
        turn = lambda counts: (  # noqa: E731
            f"<|im_start|>{SYSTEM}<|im_end|>\n<|im_start|>user\n"
            + "".join("<|vision_start|>" + "<|image_pad|>" * n + "<|vision_end|>" for n in counts)
            + f"{text}<|im_end|>\n" + ("<|im_start|>assistant\n" if answer else ""))
        ids = tokenizer.encode(turn(pads or []), add_special_tokens=False).ids
        digest = hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()
        layouts.append({"images": images, "user_text": text, "generation_prompt": answer,
                        "placeholders_per_image": pads, "length": len(ids),
                        "template_output": turn([1] * images), "ids_sha256_of_comma_joined_decimal": digest})
    folder = HERE / "text"
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps({"vectors": vectors}, indent=None, separators=(",", ":")) + "\n")
    (folder / "chat.json").write_text(json.dumps({"layouts": layouts}, indent=1) + "\n")


if __name__ == "__main__":
    main()
