// What the page needs of TensorFlow.js. The bundler leaves out the rest and makes a script of its
// own of it, which defines `TensorFlow`; `load.js` runs it when the first network is wanted.
import * as tf from "@tensorflow/tfjs-core";
import { addGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Add_grad";
import { conv2DGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Conv2D_grad";
import { conv2DBackpropInputGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Conv2DBackpropInput_grad";
import { multiplyGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Multiply_grad";
import { reluGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Relu_grad";
import { sliceGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Slice_grad";
import { sumGradConfig } from "@tensorflow/tfjs-core/dist/gradients/Sum_grad";

export {
  add, avgPool, concat, conv2d, conv2dTranspose, div, elu, fused, gather, image, keep,
  leakyRelu, maxPool, mean, memory, minimum, mul, pad, ready, relu, relu6, reshape, reverse,
  setBackend, sigmoid, slice, softmax, softplus, sub, sum, tanh, tensor, tidy, variable,
  variableGrads,
} from "@tensorflow/tfjs-core";
export { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

// The gradients that training a head takes; the bundler left out all that nobody names.
[
  addGradConfig, conv2DGradConfig, conv2DBackpropInputGradConfig, multiplyGradConfig, reluGradConfig,
  sliceGradConfig, sumGradConfig,
].forEach(tf.registerGradient);

// The wasm backend has no gradient for the kernel of a convolution. That gradient is a convolution
// itself: of the input with the gradient of the output as its kernel, where the batch and the
// channels change places, and where the stride spreads the kernel out.
tf.registerKernel({
  kernelName: "Conv2DBackpropFilter",
  backendName: "wasm",
  kernelFunc: ({ inputs: { x, dy }, attrs: { strides, pad, filterShape } }) => {
    const [height, width] = filterShape;
    const [, rows, columns] = dy.shape;
    const [down, right] = [strides].flat().length === 2 ? strides : [strides, strides];
    const around = (axis, outputs, kernel, stride) => {
      const size = x.shape[axis];
      const whole = (outputs - 1) * stride + kernel;
      const same = Math.floor(Math.max(0, whole - size) / 2);
      const before = Array.isArray(pad) ? pad[axis][0] : pad === "same" ? same : 0;
      return [before, whole - size - before];
    };
    return tf.tidy(() => {
      const vertical = around(1, rows, height, down);
      const horizontal = around(2, columns, width, right);
      const surplus = (ends) => Math.max(0, -ends[1]); // rows at the end that no window reaches
      const seen = tf.slice(x, [0, 0, 0, 0], [
        -1, x.shape[1] - surplus(vertical), x.shape[2] - surplus(horizontal), -1,
      ]);
      const padded = tf.pad(seen, [
        [0, 0], vertical.map((n) => Math.max(0, n)), horizontal.map((n) => Math.max(0, n)), [0, 0],
      ]);
      const kernel = tf.transpose(dy, [1, 2, 0, 3]); // (rows, columns, batch, out)
      const images = tf.transpose(padded, [3, 1, 2, 0]); // (in, H, W, batch)
      const found = tf.conv2d(images, kernel, 1, "valid", "NHWC", [down, right]); // (in, h, w, out)
      return tf.transpose(found, [1, 2, 0, 3]);
    });
  },
});
