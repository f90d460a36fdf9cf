/** Bundles tfjs-core's specs with the engine, so that both use one copy of tfjs. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin, stop } from "esbuild";

const entry = fileURLToPath(new URL("./_specs.ts", import.meta.url));

/**
 * tfjs-node's backend is compiled to ES5 and calls its base class as a function, which the classes in
 * tfjs-core's modules refuse.
 */
const constructBaseClass: Plugin = {
  name: "construct-base-class",
  setup: ({ onLoad }) =>
    onLoad({ filter: /nodejs_kernel_backend\.js$/ }, async ({ path }) => {
      const source = await Deno.readTextFile(path);
      const call = "_super.call(this) || this";
      if (!source.includes(call)) {
        throw new Error(`Cannot bundle "${path}": it holds no "${call}"; adapt this plug-in to it`);
      }
      return { contents: source.replace(call, "Reflect.construct(_super, [], new.target)") };
    }),
};

/**
 * Writes the bundle.
 *
 * @param folder Where it goes.
 * @returns The path of the bundle.
 */
export async function bundleSpecs(folder: string): Promise<string> {
  const outfile = join(folder, "specs.mjs");
  const tfjs = createRequire(import.meta.url).resolve("@tensorflow/tfjs/package.json");
  const core = createRequire(await Deno.realPath(tfjs)).resolve(
    "@tensorflow/tfjs-core/package.json",
  );
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    // Node's default would take tfjs's own bundle for `require` and its modules for `import`.
    mainFields: ["module", "main"],
    alias: { "@tensorflow/tfjs-core": dirname(core) },
    // tfjs-core marks its specs as free of side effects.
    ignoreAnnotations: true,
    banner: {
      js: `import { createRequire } from "node:module"; const require = createRequire("${new URL(
        "./_specs.ts",
        import.meta.url,
      )}");`,
    },
    plugins: [constructBaseClass],
    logLevel: "error",
  });
  await stop();
  return outfile;
}
