import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import {
  layOutVision,
  planAttention,
  prepareBatch,
  readModelConfig,
  ropePositions,
} from "../../lib/vision_language/mod.ts";
import { MODEL } from "./_folder.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const config = readModelConfig(join(MODEL, "config.json"));
const side = fc.integer({ min: 1, max: 14 }).map((tokens) => 2 * tokens);
const grid = fc.record({ frames: fc.constant(1), height: side, width: side });
const grids = fc.array(grid, { minLength: 1, maxLength: 4 });

Deno.test("planAttention keeps every patch once, tokens whole, windows and frames together", () => {
  fc.assert(
    fc.property(grids, (images) => {
      const layout = layOutVision(images, config.vision), plan = planAttention(layout, 4);
      assert.deepEqual([...plan.order].sort((a, b) => a - b), [...plan.order.keys()]);
      plan.order.forEach((patch, row) => assert.equal(plan.rows[patch], row));
      for (let row = 0; row < plan.order.length; row += 4) {
        const first = plan.order[row]!;
        assert(first % 4 === 0 && plan.order[row + 3] === first + 3);
      }
      // Which patches see each other, by the bounds and by the plan.
      const windowOf = new Map<number, number>(), frameOf = new Map<number, number>();
      layout.windowBounds.forEach((start, w) => {
        for (let place = start; place < (layout.windowBounds[w + 1] ?? 0); place++) {
          windowOf.set(layout.windowOrder[place >> 2]! * 4 + place % 4, w);
        }
      });
      layout.frameBounds.forEach((start, f) => {
        for (let patch = start; patch < (layout.frameBounds[f + 1] ?? 0); patch++) {
          frameOf.set(patch, f);
        }
      });
      const check = (
        runs: typeof plan.windows,
        patchAt: (row: number) => number,
        of: typeof frameOf,
      ) => {
        let rows = 0;
        const seen = new Set<number>();
        for (const { start, segments, length } of runs) {
          assert.equal(start, rows);
          for (let s = 0; s < segments; s++) {
            const owners = new Set<number>();
            for (let k = 0; k < length; k++) owners.add(of.get(patchAt(rows++))!);
            assert.equal(owners.size, 1);
            owners.forEach((owner) => assert(!seen.has(owner)));
            owners.forEach((owner) => seen.add(owner));
          }
        }
        assert.equal(rows, layout.patches);
      };
      check(plan.windows, (row) => plan.order[row]!, windowOf);
      check(plan.frames, (row) => plan.order[plan.frameOrder[row]!]!, frameOf);
    }),
    { numRuns: 40 },
  );
});

Deno.test("ropePositions refuses prompts whose visual tokens are not those of their images", () => {
  const image = { frames: 1, height: 4, width: 4 }, options = { imageToken: 9, mergeSize: 2 };
  const positions = (ids: number[], images: typeof image[]) =>
    ropePositions(
      {
        size: 1,
        length: ids.length,
        ids: Int32Array.from(ids),
        mask: new Uint8Array(ids.length).fill(1),
      },
      images,
      options,
    );
  assert.equal(positions([1, 9, 9, 9, 9, 2], [image]).at(-1), 3);
  assert.throws(() => positions([1, 9, 9, 9, 2], [image]), /differs at prompt 1, image 1/);
  assert.throws(() => positions([1, 9, 9, 9, 9, 9, 2], [image]), /image 2/);
  assert.throws(() => positions([1, 2], [image]), /image 0/);
  assert.throws(() => positions([1, 9, 9, 9, 9, 2], []), /image 1 \(0 tokens\)/);
});

Deno.test("prepareBatch fills shorter prompts on either side and refuses what is no prompt of the model", () => {
  const prompts = [{ ids: [5, 6, 7], images: [] }, { ids: [8], images: [] }];
  const right = prepareBatch(prompts, config),
    left = prepareBatch(prompts, config, { padding: "left" });
  assert.deepEqual([...right.mask], [1, 1, 1, 1, 0, 0]);
  assert.deepEqual([...left.mask], [1, 1, 1, 0, 0, 1]);
  assert.deepEqual([...left.ids], [5, 6, 7, 290, 290, 8]);
  assert.equal(prepareBatch(prompts, config, { length: 8 }).ids.length, 16);
  assert.throws(() => prepareBatch(prompts, config, { length: 2 }), /1 to 2 tokens/);
  assert.throws(() => prepareBatch([{ ids: [], images: [] }], config), /current value is 0/);
  assert.throws(() => prepareBatch([], config), /no prompt/);
  assert.throws(() => prepareBatch([{ ids: [320], images: [] }], config), /from 0 to 319/);
});
