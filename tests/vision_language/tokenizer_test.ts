import assert from "node:assert/strict";
import { join } from "node:path";
import {
  assertSpecials,
  encodePrompt,
  openTokenizer,
  promptText,
  readModelConfig,
} from "../../lib/vision_language/mod.ts";
import { checkTexts } from "../../lib/vision_language/parity/mod.ts";
import { copyModel, editJson, FIXTURES, MODEL } from "./_folder.ts";

const tokenizer = openTokenizer(join(FIXTURES, "tokenizer"));

Deno.test("openTokenizer gives the ids of the whole published vocabulary", () => {
  const checks = checkTexts(FIXTURES, tokenizer);
  assert(checks.length > 30);
  assert.deepEqual(checks.filter(({ pass }) => !pass), []);
});

Deno.test("encodePrompt has 16 tokens around text and images, 2 around each image, 3 more for an answer", () => {
  const length = (images: number, opensAnswer = false) =>
    encodePrompt(tokenizer, {
      imageTokens: new Array<number>(images).fill(264),
      text: "Hello",
      opensAnswer,
    }).length;
  assert.deepEqual([length(0), length(1), length(5)], [17, 17 + 266, 17 + 5 * 266]);
  assert.equal(length(0, true), 20);
  assert(promptText({ imageTokens: [], text: "a", system: "Be brief." }).includes("Be brief."));
});

Deno.test("openTokenizer refuses what is no tokenizer, and one of another model", () => {
  assert.throws(() => openTokenizer(FIXTURES), /should hold tokenizer\.json/);
  const folder = copyModel(), path = join(folder, "tokenizer.json");
  const { tokens } = readModelConfig(join(MODEL, "config.json"));
  assertSpecials(openTokenizer(folder), tokens);
  assert.throws(
    () => assertSpecials(tokenizer, tokens),
    /<\|vision_start\|> should be 302 as in config\.json, current value in tokenizer\.json is 151652/,
  );
  editJson(folder, "tokenizer.json", (value) => void (value["model"] = { type: "Unigram" }));
  assert.throws(
    () => openTokenizer(folder),
    /BPE model with added tokens, current value is "Unigram"/,
  );
  Deno.writeTextFileSync(path, "[]");
  assert.throws(() => openTokenizer(folder), /should hold an object/);
  Deno.writeTextFileSync(path, "{");
  assert.throws(() => openTokenizer(folder), SyntaxError);
});

Deno.test("openTokenizer takes nothing from tokenizer_config.json, whatever stands there", () => {
  const folder = copyModel(), text = "Insert THE Needle  into the caf\u00c9.<|image_pad|>";
  const original = openTokenizer(MODEL);
  const settings = { do_lowercase_and_remove_accent: true, remove_space: true };
  editJson(folder, "tokenizer_config.json", (value) => ({ ...value, ...settings }));
  const changed = openTokenizer(folder);
  assert.deepEqual(changed.encode(text), original.encode(text));
  assert.equal(changed.digest, original.digest);
  Deno.removeSync(join(folder, "tokenizer_config.json"));
  assert.deepEqual(openTokenizer(folder).encode(text), original.encode(text));
});

Deno.test("openTokenizer refuses a vocabulary that lacks the letter of a byte", () => {
  // The letters of the bytes 0x41, a blank, 0xAD and 0xFF.
  for (
    const [byte, letter] of [[65, "A"], [32, "\u0120"], [173, "\u0143"], [255, "\u00ff"]] as const
  ) {
    const folder = copyModel();
    editJson(folder, "tokenizer.json", (value) => {
      const { vocab } = value["model"] as { vocab: Record<string, number> };
      assert(Object.hasOwn(vocab, letter));
      delete vocab[letter];
    });
    assert.throws(() => openTokenizer(folder), {
      name: "SyntaxError",
      message: new RegExp(
        `letters of all 256 bytes, current value is none for byte ${byte}, "${letter}"`,
      ),
    });
  }
  const folder = copyModel();
  editJson(
    folder,
    "tokenizer.json",
    (value) => void (value["model"] = { type: "BPE", merges: [] }),
  );
  assert.throws(() => openTokenizer(folder), /none for byte 0, "\u0100"/);
});
