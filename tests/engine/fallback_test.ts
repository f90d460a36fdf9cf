import assert from "node:assert/strict";
import process from "node:process";
import * as tf from "@tensorflow/tfjs";
import { startWasm, startWebGpu } from "../../lib/engine/_fallback.ts";
import { cpuBackend } from "../../lib/engine/_cpu_kernels.ts";
import { GRADIENT_CASES, normal, valueAndGradients } from "./_gradient_cases.ts";

interface Counted {
  numDataIds(): number;
}

const adapter = await navigator.gpu?.requestAdapter();
const noAdapter = adapter == null; // reason: this machine offers no WebGPU adapter
const root = new URL("../../", import.meta.url);

async function onCpu<T>(f: () => T): Promise<T> {
  cpuBackend();
  await tf.setBackend("cpu");
  return f();
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    const near = error <= 1e-5 * (1 + Math.abs(expected[i]!));
    assert.ok(near, `${what}, element ${i}: ${actual[i]} instead of ${expected[i]}`);
  }
}

/** Runs `f` and asserts that no tensor, buffer, heap region or cpu buffer is left behind. */
function assertNoLeak(f: () => void): void {
  const count = () => {
    const { numTensors, numDataBuffers } = tf.memory();
    const backends = [tf.backend(), cpuBackend()] as unknown as Counted[];
    return [numTensors, numDataBuffers, ...backends.map((backend) => backend.numDataIds())];
  };
  const before = count();
  f();
  assert.deepEqual(count(), before);
}

const snapshot = (tensors: tf.Tensor[]) => tensors.map((tensor) => tensor.dataSync());

Deno.test("startWasm() makes wasm current, says what it is, and can be called twice", async () => {
  const first = await startWasm();
  assert.equal(tf.getBackend(), "wasm");
  assert.match(first.version, /^4\./);
  assert.deepEqual(first.devices, ["wasm:simd"]);
  assert.equal(await startWasm(), first);
});

Deno.test("startWasm() leaves no listener for uncaught errors behind", async () => {
  await startWasm();
  assert.deepEqual(process.listeners("uncaughtException"), []);
  assert.deepEqual(process.listeners("unhandledRejection"), []);
});

Deno.test("startWasm() prints nothing and lets the process end", async () => {
  const code = `
    import * as tf from "@tensorflow/tfjs";
    import { startWasm } from "./lib/engine/_fallback.ts";
    await startWasm();
    tf.grad((x) => tf.gather(x, [0, 0]).sum())(tf.ones([3, 2])).dataSync();
    tf.real(tf.complex([1], [2])).dataSync();`;
  const { code: status, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    cwd: root,
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.deepEqual([status, text], [0, ""]);
});

Deno.test("startWasm() gives wasm every kernel that cpu has", async () => {
  await startWasm();
  const names = (name: string) => tf.getKernelsForBackend(name).map((kernel) => kernel.kernelName);
  const wasm = new Set(names("wasm"));
  assert.deepEqual(names("cpu").filter((name) => !wasm.has(name)), []);
});

for (const example of GRADIENT_CASES) {
  Deno.test(`wasm agrees with cpu to 1e-5 and leaks nothing: ${example.name}`, async () => {
    const run = () => tf.tidy(() => snapshot(valueAndGradients(example)));
    const expected = await onCpu(run);
    await startWasm();
    let actual: typeof expected = [];
    assertNoLeak(() => {
      actual = run();
    });
    actual.forEach((values, i) => {
      assertClose(values, expected[i]!, i === 0 ? "value" : `gradient ${i - 1}`);
    });
  });
}

Deno.test("matMul() on wasm broadcasts leading axes of either side", async () => {
  await startWasm(); // cpu gives the wrong size for axes that broadcast on both sides
  const pairs = [[[2, 1, 4, 5], [1, 3, 5, 6]], [[4, 5], [3, 5, 6]], [[3, 4, 5], [5, 6]]] as const;
  for (const [shapeA, shapeB] of pairs) {
    const a = tf.tensor(normal([...shapeA], "a"), [...shapeA]);
    const b = tf.tensor(normal([...shapeB], "b"), [...shapeB]);
    const [m, k, n] = [4, 5, 6];
    const terms = tf.mul(
      a.reshape([...shapeA.slice(0, -2), m, k, 1]),
      b.reshape([...shapeB.slice(0, -2), 1, k, n]),
    );
    const expected = terms.sum(-2), actual = tf.matMul(a, b);
    assert.deepEqual(actual.shape, expected.shape);
    assertClose(actual.dataSync(), expected.dataSync(), `${shapeA} times ${shapeB}`);
  }
});

Deno.test("matMul() on wasm handles empty operands and int32", async () => {
  await startWasm();
  assert.deepEqual([...tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])).dataSync()], Array(6).fill(0));
  assert.deepEqual(tf.matMul(tf.zeros([0, 2]), tf.zeros([2, 3])).shape, [0, 3]);
  const integers = tf.tensor2d([[1, 2], [3, 4]], [2, 2], "int32");
  assert.deepEqual([...tf.matMul(integers, integers).dataSync()], [7, 10, 15, 22]);
});

Deno.test("cast() to bool on wasm is true for every value but zero", async () => {
  await startWasm();
  const values = tf.tensor1d([0, 0.5, 2, 256, -1, NaN]);
  assert.deepEqual([...tf.cast(values, "bool").dataSync()], [0, 1, 1, 1, 1, 1]);
});

Deno.test("borrowed kernels on wasm handle complex numbers, strings and lists of tensors", async () => {
  await startWasm();
  assertNoLeak(() =>
    tf.tidy(() => {
      const z = tf.complex([3, 1], [4, 0]);
      assert.deepEqual([...z.dataSync()], [3, 4, 1, 0]);
      assert.deepEqual([...tf.real(z).dataSync(), ...tf.imag(z).dataSync()], [3, 1, 4, 0]);
      assert.deepEqual([...tf.abs(z).dataSync()], [5, 1]);
      const restored = tf.real(tf.spectral.ifft(tf.spectral.fft(z)));
      assertClose(restored.dataSync(), [3, 1], "fft and back");
      const text = tf.string.staticRegexReplace(tf.tensor1d(["a1", "b2"]), "[0-9]", "-");
      assert.deepEqual([...text.dataSync() as unknown as string[]], ["a-", "b-"]);
      const eye = tf.einsum("ij,jk->ik", tf.eye(2), tf.tensor2d([[1, 2], [3, 4]]));
      assert.deepEqual([...eye.dataSync()], [1, 2, 3, 4]);
    })
  );
});

Deno.test("unsortedSegmentSum() on wasm drops ids outside the segments", async () => {
  await startWasm();
  const sum = tf.unsortedSegmentSum(
    tf.tensor1d([1, 2, 4, 8]),
    tf.tensor1d([1, -1, 1, 3], "int32"),
    2,
  );
  assert.deepEqual([...sum.dataSync()], [0, 5]);
});

Deno.test("a training loop on wasm keeps tensors, buffers and heap flat", async () => {
  await startWasm();
  const heap = () =>
    (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
  const w = tf.variable(tf.randomNormal([3, 32, 32], 0, 0.1));
  const x = tf.randomNormal([4, 64, 32]) as tf.Tensor3D;
  const optimizer = tf.train.sgd(0.01);
  const step = () =>
    optimizer.minimize(() => tf.conv1d(x, w as unknown as tf.Tensor3D, 2, "same").square().mean());
  for (let i = 0; i < 20; i++) step();
  const size = heap();
  assertNoLeak(() => {
    for (let i = 0; i < 200; i++) step();
  });
  assert.equal(heap(), size);
  tf.dispose([w, x]);
});

Deno.test("an allocation that does not fit on the wasm heap is an error", async () => {
  await startWasm();
  const { numTensors } = tf.memory();
  for (const shape of [[2 ** 15, 2 ** 15], [2 ** 14, 2 ** 15, 3]]) {
    const message = /^Cannot allocate \d+ bytes for a tensor: the WebAssembly heap must have room/;
    assert.throws(() => tf.fill(shape, 1), { name: "RangeError", message });
  }
  assert.equal(tf.memory().numTensors, numTensors);
});

Deno.test("startWebGpu() says why it is unavailable", { ignore: !noAdapter }, async () => {
  const started = await startWebGpu();
  assert.ok("unavailable" in started && started.unavailable.length > 0);
});

Deno.test({
  name: "webgpu agrees with cpu to 1e-5 in values and gradients (needs a WebGPU adapter)",
  ignore: noAdapter,
  sanitizeOps: false, // the device lives as long as the process
  sanitizeResources: false,
  fn: async (context) => {
    for (const example of GRADIENT_CASES) {
      await context.step(example.name, async () => {
        const expected = await onCpu(() => tf.tidy(() => snapshot(valueAndGradients(example))));
        assert.ok(!("unavailable" in await startWebGpu()));
        const tensors = tf.tidy(() => valueAndGradients(example));
        const actual = await Promise.all(tensors.map((tensor) => tensor.data()));
        actual.forEach((values, i) => {
          assertClose(values, expected[i]!, i === 0 ? "value" : `gradient ${i - 1}`);
        });
        tf.dispose(tensors);
      });
    }
  },
});

Deno.test({
  name: "webgpu adds up more tensors than a shader has buffers (needs a WebGPU adapter)",
  ignore: noAdapter,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    assert.ok(!("unavailable" in await startWebGpu()));
    for (const count of [2, 7, 8, 13, 14, 40]) {
      const { numTensors } = tf.memory();
      const sum = tf.tidy(() =>
        tf.addN(Array.from({ length: count }, (_, i) => tf.fill([40, 40], i + 1)))
      );
      const values = await sum.data();
      assert.ok(values.every((value) => value === count * (count + 1) / 2), `${count} tensors`);
      sum.dispose();
      assert.equal(tf.memory().numTensors, numTensors);
    }
  },
});

Deno.test({
  name: "dataSync() on webgpu says to use data() (needs a WebGPU adapter)",
  ignore: noAdapter,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    assert.ok(!("unavailable" in await startWebGpu()));
    const message = /^Cannot read a tensor: .* Use await tensor\.data\(\)$/;
    assert.throws(() => tf.matMul(tf.ones([40, 40]), tf.ones([40, 40])).dataSync(), { message });
  },
});
