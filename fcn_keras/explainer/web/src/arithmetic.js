// Convolution and transposed convolution along the rules of Keras and TensorFlow (L08, L09).
//
// Maps are { data, height, width }, row by row. Strides and sizes are the same in both directions,
// except where `strides` says [down, right].

export const filled = (height, width, value) => ({
  data: Array.from({ length: height * width }, (_, i) =>
    (typeof value === "function" ? value(Math.floor(i / width), i % width) : value)),
  height,
  width,
});

export const at = (map, row, column) => map.data[row * map.width + column];

// Output of a convolution along one axis, and what SAME pads: where the padding is odd, the end
// gets one more than the start.
export function convolutionSize(n, kernel, stride, padding) {
  if (padding !== "same") {
    return { size: Math.max(0, Math.floor((n - kernel) / stride) + 1), before: 0, after: 0 };
  }
  const size = Math.ceil(n / stride);
  const padded = Math.max(0, (size - 1) * stride + kernel - n);
  const before = Math.floor(padded / 2);
  return { size, before, after: padded - before };
}

// One output channel of a convolution: one kernel for each input map, one bias.
export function convolved(maps, kernels, { stride = 1, padding = "valid", bias = 0 } = {}) {
  const [{ height, width }] = maps;
  const [{ height: down, width: right }] = kernels;
  const rows = convolutionSize(height, down, stride, padding);
  const columns = convolutionSize(width, right, stride, padding);
  const data = new Float64Array(rows.size * columns.size).fill(bias);
  const out = { data, height: rows.size, width: columns.size };
  maps.forEach((map, channel) => {
    kernels[channel].data.forEach((weight, place) => {
      if (!weight) return;
      const y0 = Math.floor(place / right) - rows.before;
      const x0 = (place % right) - columns.before;
      for (let row = 0; row < out.height; row += 1) {
        const y = row * stride + y0;
        if (y < 0 || y >= height) continue; // padding: zeros add nothing
        for (let column = 0; column < out.width; column += 1) {
          const x = column * stride + x0;
          if (x >= 0 && x < width) data[row * out.width + column] += weight * map.data[y * width + x];
        }
      }
    });
  });
  return out;
}

// Output of a transposed convolution along one axis. `full` has room for every stamp; SAME cuts it
// to n · stride, `before` at the start and `after` at the end.
export function transposedSize(n, kernel, stride, padding) {
  const more = Math.max(kernel - stride, 0);
  const full = n * stride + more;
  if (padding !== "same") return { full, size: full, before: 0, after: 0 };
  const before = Math.floor(more / 2);
  return { full, size: n * stride, before, after: more - before };
}

const both = (stride) => (Array.isArray(stride) ? stride : [stride, stride]);

function sizes(input, kernel, stride, padding) {
  const [down, right] = both(stride);
  return [
    transposedSize(input.height, kernel.height, down, padding),
    transposedSize(input.width, kernel.width, right, padding),
  ];
}

// First way: every input value stamps the kernel times itself; what overlaps is added. Before SAME
// cuts anything off. `count`: only the first so many stamps.
export function stamped(input, kernel, stride, count = input.data.length) {
  const [down, right] = both(stride);
  const [rows, columns] = sizes(input, kernel, stride, "valid");
  const out = filled(rows.full, columns.full, 0);
  for (let i = 0; i < count; i += 1) {
    const top = Math.floor(i / input.width) * down;
    const left = (i % input.width) * right;
    kernel.data.forEach((weight, place) => {
      const y = top + Math.floor(place / kernel.width);
      const x = left + (place % kernel.width);
      out.data[y * out.width + x] += weight * input.data[i];
    });
  }
  return out;
}

// What SAME leaves of all stamps.
export function cutTo(full, rows, columns) {
  return filled(rows.size, columns.size, (y, x) => at(full, y + rows.before, x + columns.before));
}

export function throughStamps(input, kernel, stride, padding) {
  return cutTo(stamped(input, kernel, stride), ...sizes(input, kernel, stride, padding));
}

// Second way, first half: the input spread by the stride, with zeros between and around.
// Also `source`: for each cell the number of the input value there, or −1 for a zero.
export function spread(input, kernel, stride, padding) {
  const axis = ({ size, before }, n, k, s) => {
    const start = k - 1 - before;
    const place = (i) => ((i - start) % s === 0 && i >= start && i < start + n * s ? (i - start) / s : -1);
    return { length: size + k - 1, place };
  };
  const [down, right] = both(stride);
  const [rows, columns] = sizes(input, kernel, stride, padding);
  const vertical = axis(rows, input.height, kernel.height, down);
  const horizontal = axis(columns, input.width, kernel.width, right);
  const source = filled(vertical.length, horizontal.length, (y, x) => {
    const [row, column] = [vertical.place(y), horizontal.place(x)];
    return row < 0 || column < 0 ? -1 : row * input.width + column;
  });
  const map = { ...source, data: source.data.map((i) => (i < 0 ? 0 : input.data[i])) };
  return { map, source };
}

// The kernel turned by half a turn.
export const flipped = (kernel) => ({ ...kernel, data: [...kernel.data].reverse() });

// Second way: an ordinary convolution, stride 1, of the spread input with the flipped kernel.
export function throughZeros(input, kernel, stride, padding) {
  return convolved([spread(input, kernel, stride, padding).map], [flipped(kernel)]);
}

// The matrix of the convolution that goes the other way, from the large map to the small one: a row
// for each cell of the small map, a column for each cell of the large one.
export function convolutionMatrix(small, kernel, stride, padding) {
  const [down, right] = both(stride);
  const [rows, columns] = sizes(small, kernel, stride, padding);
  const count = small.height * small.width;
  return filled(count, rows.size * columns.size, (cell, place) => {
    const y = Math.floor(place / columns.size) + rows.before - Math.floor(cell / small.width) * down;
    const x = (place % columns.size) + columns.before - (cell % small.width) * right;
    return y >= 0 && y < kernel.height && x >= 0 && x < kernel.width ? at(kernel, y, x) : 0;
  });
}

export const transposedOf = (matrix) =>
  filled(matrix.width, matrix.height, (row, column) => at(matrix, column, row));

export function times(matrix, vector) {
  return Array.from({ length: matrix.height }, (_, row) =>
    vector.reduce((sum, value, column) => sum + at(matrix, row, column) * value, 0));
}

// Third way: the transposed matrix times the input's values.
export function throughMatrix(input, kernel, stride, padding) {
  const [rows, columns] = sizes(input, kernel, stride, padding);
  const matrix = transposedOf(convolutionMatrix(input, kernel, stride, padding));
  return { data: times(matrix, input.data), height: rows.size, width: columns.size };
}

// How many stamps reach each cell of the output.
export function overlaps(n, kernel, stride, padding) {
  return throughStamps(filled(n, n, 1), filled(kernel, kernel, 1), stride, padding);
}
