// Starts TensorFlow.js and reads the networks, once, when a chapter first asks for them.
import { Network } from "./network.js";

export class NoNetwork extends Error {}

// What the page carries under an id: deflated, written as base64.
async function unpacked(id) {
  const element = document.getElementById(`packed-${id}`);
  const text = element.textContent.trim();
  const bytes = Uint8Array.fromBase64
    ? Uint8Array.fromBase64(text)
    : Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  element.remove(); // twelve megabytes of text that nobody needs any more
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The two bytes of every number of 16 bits lie apart in the file, because that compresses better.
function joined(bytes, weights) {
  const out = bytes.slice();
  for (const { type, shape, offset } of weights) {
    if (type !== "float16") continue;
    const count = shape.reduce((product, side) => product * side, 1);
    for (let i = 0; i < count; i += 1) {
      out[offset + 2 * i] = bytes[offset + i];
      out[offset + 2 * i + 1] = bytes[offset + count + i];
    }
  }
  return out;
}

// Returns a Network with `.tf`. Throws NoNetwork with a sentence for people.
export async function loadNetwork(graph) {
  if (!graph) throw new NoNetwork("This page was written without a network.");
  if (typeof WebAssembly !== "object") {
    throw new NoNetwork("This browser has WebAssembly switched off, which the network needs. The chapters without a network still work.");
  }
  if (document.readyState === "loading") { // the weights stand at the end of the page
    await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
  }
  try {
    const [script, wasm, weights] = await Promise.all(["tensorflow", "wasm", "weights"].map(unpacked));
    const element = document.createElement("script");
    element.textContent = new TextDecoder().decode(script);
    document.head.append(element);
    const tf = globalThis.TensorFlow;
    const url = URL.createObjectURL(new Blob([wasm], { type: "application/wasm" }));
    tf.setWasmPaths({
      "tfjs-backend-wasm.wasm": url,
      "tfjs-backend-wasm-simd.wasm": url,
      "tfjs-backend-wasm-threaded-simd.wasm": url,
    });
    await tf.setBackend("wasm");
    await tf.ready();
    const network = new Network(tf, graph, joined(weights, graph.weights));
    return network;
  } catch (error) {
    throw new NoNetwork(`The network could not be started (${error.message ?? error}). The chapters without a network still work; a current Chromium, Firefox or Safari runs them all.`);
  }
}
