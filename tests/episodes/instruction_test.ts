import assert from "node:assert/strict";
import { instructionOf, referenceInstruction } from "../../lib/episodes/instruction.ts";

const W = "Insert into the white square silicone with a white circle sticker attached";
const N = "Insert the needle through the trocar into the eye phantom model";
const G = "Perform the insertion task";

Deno.test("the reference's two programs give the texts of its old files", () => {
  for (
    const [folder, step0, sensor] of [
      ["White_silicone_white_circle", W, W],
      ["Needle_insertion_eye_trocar", N, N],
      ["white_silicone_x", G, W],
      ["big white circle", W, G],
      ["Eye_trocar", G, G],
      ["OCT_insertion", G, G],
    ] as const
  ) {
    assert.equal(referenceInstruction(folder, "step0"), step0, folder);
    assert.equal(referenceInstruction(folder, "sensor"), sensor, folder);
  }
});

Deno.test("one table gives every task its instruction, the longest match first", () => {
  for (
    const [task, instruction] of [
      ["White_silicone_white_circle", W],
      ["white_silicone_x", W],
      ["big white circle", W],
      ["Needle_insertion_eye_trocar", N],
      ["OCT_insertion", "Insert the needle into the tissue using OCT guidance"],
      ["part1", G],
      ["Blue_point", "Perform Blue point insertion task"],
      ["YELLOW-POINT", "Perform Yellow point insertion task"],
      ["Eye_trocar", "Perform Eye trocar insertion task"],
      ["partridge1", G],
    ] as const
  ) assert.equal(instructionOf(task), instruction, task);
  assert.equal(instructionOf("Silver_point", { fallback: "Do it" }), "Do it");
});
