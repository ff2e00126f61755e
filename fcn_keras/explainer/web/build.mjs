// Bundles the page's scripts. Two scripts: ours with the chapters, which is small and starts at
// once, and TensorFlow.js, which only chapters with a network need.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "bundle");
const options = {
  absWorkingDir: here,
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
const modules = join(here, "node_modules");
copyFileSync(join(modules, "@tensorflow/tfjs-backend-wasm/dist", wasm), join(out, wasm));

// Whose code the bundle holds, and the licences to hand on with it.
const { outputs } = (await esbuild.build({
  ...options, entryPoints: ["src/network/tensors.js"], write: false, metafile: true, outfile: "out.js",
})).metafile;
const used = Object.entries(outputs["out.js"].inputs).filter(([, { bytesInOutput }]) => bytesInOutput);
const names = new Set(used.map(([path]) => path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]));
const packages = [...names].filter(Boolean).sort().map((name) => {
  const { version, license, author } = JSON.parse(readFileSync(join(modules, name, "package.json")));
  const holder = { "@tensorflow": "Google LLC" }[name.split("/")[0]] ?? author?.name ?? author;
  return { name, version, license, holder };
});
const texts = { "Apache-2.0": join(modules, "long", "LICENSE"), MIT: join(modules, "node-fetch", "LICENSE.md") };
const licences = [...new Set(packages.map(({ license }) => license))].map((license) => {
  const holders = packages.filter((each) => each.license === license)
    .map(({ name, version, holder }) => `${name} ${version}: Copyright ${holder}`);
  const text = readFileSync(texts[license], "utf8").replace(/^Copyright .*$/m, "Copyright: see above").trim();
  return `${holders.join("\n")}\nLicence: ${license}\n\n${text}\n`;
});
writeFileSync(join(out, "packages.json"), `${JSON.stringify(packages, null, 2)}\n`);
writeFileSync(join(out, "LICENCES.txt"), licences.join(`\n${"-".repeat(78)}\n\n`));
