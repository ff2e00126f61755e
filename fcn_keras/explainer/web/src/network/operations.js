// What each kind of Keras layer computes, with TensorFlow.js. Maps are (1, H, W, C).
// `flat.py` writes the options; a kind that is missing here is refused there, by its name.

const ACTIVATIONS = {
  relu: (tf, x) => tf.relu(x),
  relu6: (tf, x) => tf.relu6(x),
  sigmoid: (tf, x) => tf.sigmoid(x),
  tanh: (tf, x) => tf.tanh(x),
  softmax: (tf, x) => tf.softmax(x),
  elu: (tf, x) => tf.elu(x),
  softplus: (tf, x) => tf.softplus(x),
  hard_sigmoid: (tf, x) => tf.div(tf.relu6(tf.add(x, 3)), 6),
  silu: (tf, x) => tf.mul(x, tf.sigmoid(x)),
  hard_silu: (tf, x) => tf.mul(x, tf.div(tf.relu6(tf.add(x, 3)), 6)),
  leaky_relu: (tf, x) => tf.leakyRelu(x, 0.2),
};
const FUSED = ["relu", "relu6"]; // computed together with the convolution

export const activate = (tf, x, name) => (name ? ACTIVATIONS[name](tf, x) : x);

const pooled = (tf, pool, x, { kernel, strides, padding }) => pool(x, kernel, strides, padding);

// The wasm kernel gets SAME wrong where the stride is larger than the kernel: the zeros are counted
// here. With the size of a map, SAME puts half of them, rounded down, before it.
function zeros(x, { padding, kernel, strides, dilations }) {
  if (padding === "valid" || kernel.every((side, axis) => side >= strides[axis])) return padding;
  const along = (axis) => {
    const size = x.shape[axis + 1];
    const reach = (kernel[axis] - 1) * dilations[axis] + 1;
    const total = Math.max(0, (Math.ceil(size / strides[axis]) - 1) * strides[axis] + reach - size);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  };
  return [[0, 0], along(0), along(1), [0, 0]];
}

function convolution(compute) {
  return (tf, [x], given, [filter, bias]) => {
    const { strides, dilations, activation } = given;
    const fused = FUSED.includes(activation);
    const pad = zeros(x, given);
    const options = { strides, pad, dilations, bias, activation: fused ? activation : "linear" };
    const y = tf.fused[compute]({ x, filter, ...options });
    return fused ? y : activate(tf, y, activation);
  };
}

function transposed(tf, [x], { kernel, strides, padding, activation }, [weights, bias]) {
  const [batch, height, width] = x.shape;
  const size = (n, axis) =>
    n * strides[axis] + (padding === "same" ? 0 : Math.max(kernel[axis] - strides[axis], 0));
  const shape = [batch, size(height, 0), size(width, 1), weights.shape[2]];
  const y = tf.conv2dTranspose(x, weights, shape, strides, padding);
  return activate(tf, bias ? tf.add(y, bias) : y, activation);
}

function relu(tf, [x], { max_value, negative_slope }) {
  const y = negative_slope ? tf.leakyRelu(x, negative_slope) : tf.relu(x);
  return max_value === null ? y : tf.minimum(y, max_value);
}

function cropped(tf, x, top, left, height, width) {
  const [batch, , , channels] = x.shape;
  return tf.slice(x, [0, top, left, 0], [batch, height, width, channels]);
}

// The last row and column, repeated: an image of 37 × 64 becomes 64 × 64.
function padToMultiple(tf, [x], { multiple }) {
  for (const axis of [1, 2]) {
    const size = x.shape[axis];
    const whole = Math.ceil(size / multiple) * multiple;
    if (whole > size) {
      const rows = Array.from({ length: whole }, (_, i) => Math.min(i, size - 1));
      x = tf.gather(x, tf.tensor(rows, [whole], "int32"), axis);
    }
  }
  return x;
}

function enlarged(tf, [x], { size, interpolation }) {
  const shape = [x.shape[1] * size[0], x.shape[2] * size[1]];
  return interpolation === "nearest"
    ? tf.image.resizeNearestNeighbor(x, shape, false, true)
    : tf.image.resizeBilinear(x, shape, false, true);
}

const scaled = (tf, [x], options, [factor, summand]) => tf.add(tf.mul(x, factor), summand);
const unchanged = (tf, [x]) => x;

export const OPERATIONS = {
  Conv2D: convolution("conv2d"),
  DepthwiseConv2D: convolution("depthwiseConv2d"),
  Conv2DTranspose: transposed,
  MaxPooling2D: (tf, [x], options) => pooled(tf, tf.maxPool, x, options),
  AveragePooling2D: (tf, [x], options) => pooled(tf, tf.avgPool, x, options),
  GlobalAveragePooling2D: (tf, [x], { keepdims }) => tf.mean(x, [1, 2], keepdims),
  BatchNormalization: scaled,
  Normalization: scaled,
  Rescaling: (tf, [x], { scale, offset }) => tf.add(tf.mul(x, scale), offset),
  VGGPreprocessing: (tf, [x], { mean_bgr }) => tf.sub(tf.reverse(x, 3), mean_bgr),
  Activation: (tf, [x], { activation }) => activate(tf, x, activation),
  ReLU: relu,
  Reshape: (tf, [x]) => tf.reshape(x, [1, 1, 1, -1]), // a vector as a map of one pixel
  Softmax: (tf, [x]) => tf.softmax(x),
  Add: (tf, maps) => maps.reduce((sum, map) => tf.add(sum, map)),
  Multiply: (tf, maps) => maps.reduce((product, map) => tf.mul(product, map)),
  Concatenate: (tf, maps) => tf.concat(maps, 3),
  ZeroPadding2D: (tf, [x], { padding }) => tf.pad(x, [[0, 0], ...padding, [0, 0]]),
  Cropping2D: (tf, [x], { cropping: [[top, bottom], [left, right]] }) =>
    cropped(tf, x, top, left, x.shape[1] - top - bottom, x.shape[2] - left - right),
  UpSampling2D: enlarged,
  PadToMultiple: padToMultiple,
  CropToMatch: (tf, [x, reference], { offset, stride }) =>
    cropped(tf, x, offset, offset,
      Math.ceil(reference.shape[1] / stride), Math.ceil(reference.shape[2] / stride)),
  Identity: unchanged,
  Dropout: unchanged,
  SpatialDropout2D: unchanged,
  GaussianNoise: unchanged,
  GaussianDropout: unchanged,
};
