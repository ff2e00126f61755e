// Sizes and receptive fields, from the graph alone, as fcn_keras.geometry computes them (L15).
//
// Along one axis, position i of a map sees the pixels from `first` to `last` of window i mod period,
// moved on by `shift` for every period.

const sameBefore = (size, kernel, stride) =>
  Math.floor(Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size) / 2);
const cutOfTransposed = (kernel, stride) => Math.floor(Math.max(0, kernel - stride) / 2);

class Field {
  constructor(windows, shift) {
    this.windows = windows; // [first, last] or null for a position that sees nothing
    this.shift = shift;
  }

  pixels(position) {
    const period = this.windows.length;
    const turns = Math.floor(position / period);
    const window = this.windows[position - turns * period];
    return window && [window[0] + turns * this.shift, window[1] + turns * this.shift];
  }

  span(first, last) {
    let hull = null;
    for (let i = first; i <= last; i += 1) {
      const window = this.pixels(i);
      if (window) {
        hull = hull ? [Math.min(hull[0], window[0]), Math.max(hull[1], window[1])] : window;
      }
    }
    return hull;
  }

  get size() {
    return Math.max(...this.windows.filter(Boolean).map(([first, last]) => last - first + 1));
  }

  get stride() {
    return this.shift / this.windows.length;
  }

  made(period, span, shift) {
    return new Field(Array.from({ length: period }, (_, i) => span(i)), shift);
  }

  afterWindow(kernel, stride, before) {
    const period = this.windows.length / gcd(this.windows.length, stride);
    const span = (i) => this.span(i * stride - before, i * stride - before + kernel - 1);
    return this.made(period, span, this.stride * stride * period);
  }

  afterUpsampling(kernel, stride, cut) {
    const span = (i) =>
      this.span(Math.ceil((i + cut - kernel + 1) / stride), Math.floor((i + cut) / stride));
    return this.made(stride * this.windows.length, span, this.shift);
  }

  shifted(positions) {
    return this.made(this.windows.length, (i) => this.pixels(i + positions), this.shift);
  }

  joined(other) {
    if (other === WHOLE) return WHOLE;
    const [a, b] = [this.windows.length, other.windows.length];
    const period = (a * b) / gcd(a, b);
    const span = (i) => {
      const seen = [this.pixels(i), other.pixels(i)].filter(Boolean);
      return seen.length
        ? [Math.min(...seen.map(([first]) => first)), Math.max(...seen.map(([, last]) => last))]
        : null;
    };
    return this.made(period, span, this.stride * period);
  }
}

// Behind an operation that sees the whole image, every position does.
const WHOLE = {
  afterWindow: () => WHOLE, afterUpsampling: () => WHOLE, shifted: () => WHOLE, joined: () => WHOLE,
};

const gcd = (a, b) => (b ? gcd(b, a % b) : a);

// What each kind does to { field, size } along an axis (0: height, 1: width).
const windowed = (options, [map], axis) => {
  const { kernel, strides, padding, dilations = [1, 1] } = options;
  const reach = (kernel[axis] - 1) * dilations[axis] + 1;
  const stride = strides[axis];
  const before = padding === "same" ? sameBefore(map.size, reach, stride) : 0;
  const size = padding === "same"
    ? Math.ceil(map.size / stride)
    : Math.floor((map.size - reach) / stride) + 1;
  return { field: map.field.afterWindow(reach, stride, before), size };
};
const upsampled = ({ kernel, strides, padding }, [map], axis) => {
  const stride = strides[axis];
  const cut = padding === "same" ? cutOfTransposed(kernel[axis], stride) : 0;
  const more = padding === "same" ? 0 : Math.max(kernel[axis] - stride, 0);
  return {
    field: map.field.afterUpsampling(kernel[axis], stride, cut), size: map.size * stride + more,
  };
};
const enlarged = ({ size, interpolation }, [map], axis) => {
  const factor = size[axis];
  const kernel = interpolation === "nearest" ? factor : 2 * factor - (factor % 2);
  return {
    field: map.field.afterUpsampling(kernel, factor, cutOfTransposed(kernel, factor)),
    size: map.size * factor,
  };
};
const merged = (options, maps) => ({
  field: maps.map(({ field }) => field).reduce((a, b) => a.joined(b)),
  size: Math.max(...maps.map(({ size }) => size)), // a mean over the image is as large as any map
});
const padded = ({ padding }, [map], axis) => ({
  field: map.field.shifted(-padding[axis][0]), size: map.size + padding[axis][0] + padding[axis][1],
});
const cut = ({ cropping }, [map], axis) => ({
  field: map.field.shifted(cropping[axis][0]), size: map.size - cropping[axis][0] - cropping[axis][1],
});
const RULES = {
  Conv2D: windowed, DepthwiseConv2D: windowed, MaxPooling2D: windowed, AveragePooling2D: windowed,
  Conv2DTranspose: upsampled, UpSampling2D: enlarged,
  GlobalAveragePooling2D: () => ({ field: WHOLE, size: 1 }),
  Add: merged, Multiply: merged, Concatenate: merged,
  ZeroPadding2D: padded, Cropping2D: cut,
  PadToMultiple: ({ multiple }, [map]) =>
    ({ field: map.field, size: Math.ceil(map.size / multiple) * multiple }),
  CropToMatch: ({ offset, stride }, [map, reference]) =>
    ({ field: map.field.shifted(offset), size: Math.ceil(reference.size / stride) }),
};

// Follows a network: { layer: { height, width, channels?, fields: [vertical, horizontal] } } for an
// image of some size. A field is null behind an operation that sees the whole image.
export function mapsOf(network, model, height, width) {
  const known = new Map();
  const along = (number) => {
    if (known.has(number)) return known.get(number);
    const { kind, inputs, ...options } = network.operations[number];
    const reads = inputs.map(along);
    const found = [0, 1].map((axis) => {
      if (!inputs.length) return { field: new Field([[0, 0]], 1), size: [height, width][axis] };
      const maps = reads.map((read) => read[axis]);
      return kind in RULES ? RULES[kind](options, maps, axis) : maps[0];
    });
    known.set(number, found);
    return found;
  };
  return Object.fromEntries(
    Object.entries(network.models[model]).map(([name, number]) => {
      const [vertical, horizontal] = along(number);
      const fields = [vertical.field, horizontal.field].map((field) => (field === WHOLE ? null : field));
      return [name, { height: vertical.size, width: horizontal.size, fields }];
    }),
  );
}
