// Bundles the page's scripts. Two scripts: ours with the chapters, which is small and starts at
// once, and TensorFlow.js, which only chapters with a network need.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as esbuild from "esbuild";

const out = process.argv[2] ?? join(import.meta.dirname, "..", "bundle");
const options = {
  absWorkingDir: import.meta.dirname,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome109", "firefox115", "safari16.4"],
  legalComments: "none",
  logLevel: "warning",
};
mkdirSync(out, { recursive: true });
await esbuild.build({ ...options, entryPoints: ["src/main.js"], outfile: join(out, "page.js") });
await esbuild.build({ ...options, entryPoints: ["src/style.css"], outfile: join(out, "page.css") });
await esbuild.build({
  ...options,
  entryPoints: ["src/network/tensors.js"],
  outfile: join(out, "tensorflow.js"),
  globalName: "TensorFlow",
  platform: "browser",
});
const wasm = "tfjs-backend-wasm-simd.wasm";
const modules = join(import.meta.dirname, "node_modules");
copyFileSync(join(modules, "@tensorflow/tfjs-backend-wasm/dist", wasm), join(out, wasm));

// Whose code the bundle holds, under which licence.
const metafile = (await esbuild.build({
  ...options, entryPoints: ["src/network/tensors.js"], write: false, metafile: true,
})).metafile;
const packages = new Set();
for (const path of Object.keys(metafile.inputs)) {
  const [, name] = path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/) ?? [];
  if (name) packages.add(name);
}
const licences = [...packages].sort().map((name) => {
  const { version, license, author } = JSON.parse(readFileSync(join(modules, name, "package.json")));
  return { name, version, license, author: author?.name ?? author ?? "" };
});
writeFileSync(join(out, "packages.json"), `${JSON.stringify(licences, null, 2)}\n`);
