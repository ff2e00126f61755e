// The main stages of a network, read off the rows of its table (page.contents.layers). No names of
// one network are needed: the stages follow from sizes, from what is trained, and from what merges.

const UPSAMPLES = ["Conv2DTranspose", "UpSampling2D"];
const MERGES = ["Add", "Concatenate", "Multiply"];
const NOT_A_STAGE = [
  "BatchNormalization",
  "Normalization",
  "ZeroPadding2D",
  "Rescaling",
  "VGGPreprocessing",
  "InputLayer",
];

// Operations by the names of rows. A row may be called "output", which is elsewhere the network's
// result; then the row that reads it tells which operation is meant.
export function operationsOf({ layers, graph, networks }) {
  const known = graph.models[networks.result];
  const names = Object.fromEntries(layers.map(({ name }) => [name, known[name]]));
  const reader = layers.find(({ inputs }) => inputs.includes("output"));
  if (reader) {
    names.output = graph.operations[known[reader.name]].inputs[reader.inputs.indexOf("output")];
  }
  return names;
}

// The network as it is, with the names of the rows for the result's layers.
export const byRows = (network, contents) =>
  Object.assign(Object.create(network), {
    operations: network.operations,
    models: { ...network.models, [contents.networks.result]: operationsOf(contents) },
  });

// stagesOf(rows): [{ name, row, part, since, weights, trained, skip }, …] from the image to the result.
//   part: "image", "encoder" or "head"; since: the rows since the stage before, itself included;
//   weights: how many they have; trained: whether any of them learns
//   skip: { from: number of a stage, through: rows } where finer maps join, or null
export function stagesOf(rows, most = 20) {
  const main = mainPath(rows);
  const down = main.slice(0, turn(main));
  const encoder = encoderOf(rows, down);
  const start = main.indexOf(encoder.at(-1)) + 1;
  const skips = skipsOf(rows, main, start);
  const sources = skips.map(({ source }) => source);
  const fine = [...new Set([...encoder, ...sources])].sort((a, b) => main.indexOf(a) - main.indexOf(b));
  const merging = new Map(skips.map((skip) => [skip.to, skip]));
  const head = main.slice(start).filter((row) => isStage(row) || merging.has(row) || row === main.at(-1));
  const chosen = fewer(
    [main[0], ...fine, ...head],
    most,
    (row) => merging.has(row) || row === main.at(-1) || fine.includes(row),
  );
  return described(rows, chosen, encoder, merging);
}

const isStage = ({ kind, parameters }) =>
  UPSAMPLES.includes(kind) || (parameters > 0 && !NOT_A_STAGE.includes(kind));

const lookup = (rows) => {
  const byName = new Map(rows.map((row) => [row.name, row]));
  return (row) => row.inputs.map((name) => byName.get(name)).filter(Boolean);
};

// How many layers lie before each row, along the longest way.
function depths(rows) {
  const reads = lookup(rows);
  const found = new Map();
  for (const row of rows) found.set(row, 1 + Math.max(0, ...reads(row).map((read) => found.get(read))));
  return found;
}

// The longest way from the image to the result. What cuts a map to a size reads the map first.
function mainPath(rows) {
  const path = [rows.at(-1)];
  const before = deepest(rows);
  for (let row = before(path[0]); row; row = before(row)) path.unshift(row);
  return path;
}

function deepest(rows) {
  const reads = lookup(rows);
  const depth = depths(rows);
  return (row) =>
    row.kind === "CropToMatch"
      ? reads(row)[0]
      : reads(row).reduce((best, read) => (!best || depth.get(read) > depth.get(best) ? read : best), null);
}

// Where the way turns upwards.
function turn(main) {
  const found = main.findIndex(({ kind }) => UPSAMPLES.includes(kind));
  return found < 0 ? main.length : found;
}

// The last row of each level of the downsampling path: by name where there are pools.
function encoderOf(rows, down) {
  const pools = down.filter(({ name }) => /^pool\d+$/.test(name));
  if (pools.length > 1) return pools;
  const trained = behindTrained(rows);
  const frozen = down.filter((row) => !trained.has(row));
  const whole = frozen.some(({ parameters }) => parameters) ? frozen : down;
  const levels = [];
  let height = Infinity;
  for (const row of whole.slice(1)) {
    if (row.output_shape[0] <= 0.7 * height) {
      levels.push([]);
      [height] = row.output_shape;
    }
    levels.at(-1)?.push(row);
  }
  const ends = levels.map(
    (level) => level.findLast((row) => isStage(row) || MERGES.includes(row.kind)) ?? level.at(-1),
  );
  return ends.length ? ends : [down.at(-1)];
}

function behindTrained(rows) {
  const reads = lookup(rows);
  const behind = new Set();
  for (const row of rows) {
    if (row.trained || reads(row).some((read) => behind.has(read))) behind.add(row);
  }
  return behind;
}

// Where a map of the downsampling path joins the upsampling path.
function skipsOf(rows, main, start) {
  const reads = lookup(rows);
  const before = deepest(rows);
  const found = [];
  for (const to of main.slice(start)) {
    if (!MERGES.includes(to.kind)) continue;
    for (const read of reads(to)) {
      const through = [];
      let row = read;
      while (row && !main.includes(row)) {
        through.unshift(row);
        row = before(row);
      }
      const place = main.indexOf(row);
      if (place > 0 && place < start - 1) found.push({ source: row, through, to });
    }
  }
  return found;
}

// At most so many stages: first those go that change nothing about the size, then any of the head.
function fewer(stages, most, needed) {
  const same = (a, b) => String(a.output_shape) === String(b.output_shape);
  const kept = [...stages];
  for (const useless of [(row, i) => same(row, kept[i - 1]), () => true]) {
    for (let i = kept.length - 1; i > 0 && kept.length > most; i -= 1) {
      if (!needed(kept[i]) && useless(kept[i], i)) kept.splice(i, 1);
    }
  }
  return kept;
}

function described(rows, chosen, encoder, merging) {
  const reads = lookup(rows);
  const seen = new Set();
  const collect = (row) => {
    if (seen.has(row)) return;
    seen.add(row);
    reads(row).forEach(collect);
  };
  const end = chosen.indexOf(encoder.at(-1));
  return chosen.map((row, i) => {
    const before = new Set(seen);
    (i === chosen.length - 1 ? rows : [row]).forEach(collect);
    const since = rows.filter((each) => seen.has(each) && !before.has(each));
    const skip = merging.get(row);
    return {
      name: row.name,
      row,
      part: i === 0 ? "image" : i <= end ? "encoder" : "head",
      since,
      weights: since.reduce((sum, { parameters }) => sum + parameters, 0),
      trained: since.some(({ trained }) => trained),
      skip: skip ? { from: chosen.indexOf(skip.source), through: skip.through } : null,
    };
  });
}

const WORDS = {
  InputLayer: "picture",
  Conv2D: "convolution",
  Conv2DTranspose: "transposed convolution",
  DepthwiseConv2D: "convolution of each channel",
  MaxPooling2D: "max pooling",
  AveragePooling2D: "average pooling",
  UpSampling2D: "enlarging",
  Add: "sum of two maps",
  Concatenate: "channels stacked",
  Multiply: "product of two maps",
  CropToMatch: "cut to size",
  BatchNormalization: "normalisation",
  Activation: "activation",
  ReLU: "ReLU",
  Softmax: "softmax",
};

// A layer in words, with its kernel and its stride: "4 × 4 transposed convolution, stride 2".
export function inWords({ kind }, { kernel, size, strides } = {}) {
  const name = WORDS[kind] ?? kind;
  const window = kernel ?? size;
  const before = window ? `${window.join(" × ")} ` : "";
  return `${before}${name}${strides ? `, stride ${strides[0]}` : ""}`;
}
