// Architecture: the way down and the way up of the page's network, with its maps (L13, L23).
import { count, sizes } from "../ui/counts.js";
import { canvas, clamp, el, figure, svg } from "../ui/dom.js";
import { channelOf, sequential, show } from "../ui/draw.js";
import { frame } from "../ui/frame.js";
import { looked } from "../ui/looked.js";
import { newest } from "../ui/newest.js";
import { picker } from "../ui/picker.js";
import { byRows, inWords, operationsOf, stagesOf } from "../ui/stages.js";
import { mapsOf } from "../network/fields.js";
import { mapOf, tensorOf } from "../network/predict.js";

const WIDTH = 500; // of the drawing, in units that are pixels at 1280 × 720
const CENTRE = 298;
const WIDEST = 136; // the longest bar
const LETTERS = 25; // of a stage's name and of the word beside it, at most
const CHANNELS = 12; // maps shown of a stage

export default {
  id: "architecture",
  title: "Architecture",
  claims: ["L13", "L23"],
  minutes: 5,
  question: {
    ask: "On the way down, the maps get lower and narrower. What happens to the number of their channels?",
    answers: ["It stays at three", "It grows", "It falls"],
    right: 1,
    because:
      "Fewer positions, more numbers for each: less where, more what. The way up restores the size; one " +
      "channel per class is left.",
  },
  todo: "Click a stage, or use the arrow keys. On the right: its size, its weights, its strongest channels.",
  sentence:
    "The way down finds out what is there in a small map; the way up says where, in the picture's size.",
  notes: [
    "Let someone read the sizes aloud from top to bottom: height and width fall, channels grow, then back.",
    "Show pool1 (edges), pool3 (patterns), pool5 (blobs that stand for whole things), then the last maps.",
    "The lecture's encoder is VGG16; its maxp3, maxp4 and maxp5 are pool3, pool4 and pool5 here. A page " +
      "may carry a smaller encoder. fcn4 to fcn1 are the lecture's names.",
    "Frozen weights were trained before, on another task, and stay; only the orange part learns this one.",
    "Usual misconception: “the upsampling path undoes pooling.” What pooling dropped comes back only " +
      "by the skips.",
  ],
  drawing,
  build,
};

function build(stage, { page, say }) {
  const failed = (error) => say(error.message);
  const { contents } = page;
  const stages = stagesOf(contents.layers);
  let at = Math.max(
    0,
    stages.findLastIndex(({ part }) => part === "encoder"),
  );
  let sizesNow = null; // of every stage, for this picture
  let seen = null;
  const maps = new Map(); // stage → its strongest channels, for this picture

  const plan = planOf(stages, rolesOf(contents, stages), (next) => {
    at = next;
    chosen();
  });
  const panel = panelOf(contents, stages);
  const row = picker(page, say);
  stage.append(row, el("div", { class: "architecture" }, plan.box, panel.box));
  plan.choose(at);

  const showMaps = newest(async (number, still) => {
    if (!maps.has(number)) {
      panel.waiting();
      const network = await page.network();
      if (!still()) return;
      await frame();
      if (!still()) return;
      maps.set(number, strongest(network, contents, stages[number], seen.image));
    }
    panel.maps(number, maps.get(number), page.classes);
  }, failed);
  function chosen() {
    plan.choose(at);
    if (!sizesNow) return;
    panel.facts(at, sizesNow);
    showMaps(at);
  }
  const update = newest(async (_, still) => {
    const next = await looked(page);
    if (!still()) return;
    seen = next;
    maps.clear();
    sizesNow = sizesOf(contents, stages, seen.image);
    plan.sizes(sizesNow);
    chosen();
  }, failed);
  page.addEventListener("picture", update);
  update();
  return {
    stop() {
      page.removeEventListener("picture", update);
      update.stop();
      showMaps.stop();
      row.stop();
    },
  };
}

// Height, width and channels of every stage for a picture.
function sizesOf(contents, stages, image) {
  const model = "rows";
  const graph = { operations: contents.graph.operations, models: { [model]: operationsOf(contents) } };
  const known = mapsOf(graph, model, image.height, image.width);
  return stages.map(({ name, row }) => [known[name].height, known[name].width, row.output_shape.at(-1)]);
}

// The strongest channels of a stage: [{ channel, map }, …], the mean of their size decides.
function strongest(network, contents, { name, part }, image) {
  const given = tensorOf(network.tf, image);
  const model = contents.networks.result;
  const found =
    part === "image"
      ? { [name]: given }
      : byRows(network, contents).run(model, [name], { [inputOf(contents)]: given });
  const map = mapOf(found[name]);
  new Set([given, found[name]]).forEach((tensor) => tensor.dispose());
  const strength = new Float64Array(map.channels);
  for (let i = 0; i < map.data.length; i += 1) strength[i % map.channels] += Math.abs(map.data[i]);
  const order = [...strength.keys()].sort((a, b) => strength[b] - strength[a] || a - b).slice(0, CHANNELS);
  if (map.channels <= CHANNELS) order.sort((a, b) => a - b);
  return order.map((channel) => ({
    channel,
    mean: strength[channel] / (map.height * map.width),
    map: channelOf(map, channel),
  }));
}

const inputOf = ({ layers }) => layers.find(({ inputs }) => !inputs.length).name;

// A word or two beside each stage, as its name alone says little.
function rolesOf(contents, stages) {
  const names = operationsOf(contents);
  const operation = ({ name }) => contents.graph.operations[names[name]];
  const levels = stages.filter(({ part }) => part === "encoder");
  return stages.map((stage, i) => {
    const { part, row, skip } = stage;
    if (part === "image") return "the picture";
    if (part === "encoder") return `end of level ${levels.indexOf(stage) + 1}`;
    if (skip) return `+ ${stages[skip.from].name}`;
    if (row.kind === "CropToMatch") return row.output_shape.at(-1) === contents.classes.length ? "scores, cut to fit" : "cut to fit";
    const { kernel, size, strides } = operation(row);
    const window = (kernel ?? size)?.join(" × ") ?? "";
    const larger = row.output_shape[0] > stages[i - 1].row.output_shape[0];
    if (larger && strides) return `${strides[0]} × as large`;
    const last = kernel && row.output_shape.at(-1) === contents.classes.length;
    return last ? `${window}, 1 per class` : window;
  });
}

// --- the drawing: a bar for each map, as long as the map is high, as thick as it has channels

function planOf(stages, roles, onchoose) {
  const pitch = clamp(470 / stages.length, 24, 44);
  const height = pitch * stages.length;
  const middle = (i) => pitch * (i + 0.5);
  const bars = stages.map(() => svg("rect", { class: "bar", rx: 2 }));
  const labels = stages.map(() => svg("text", { class: "size", x: WIDTH - 4, "text-anchor": "end" }));
  const nodes = stages.map((each, i) =>
    svg(
      "g",
      {
        role: "radio",
        tabindex: -1,
        class: classOf(each),
        "aria-label": each.name,
        "aria-checked": "false",
        "data-stage": each.name,
        onclick: () => onchoose(i),
      },
      svg("rect", {
        class: "hit",
        x: 1,
        y: middle(i) - pitch / 2 + 1,
        width: WIDTH - 2,
        height: pitch - 2,
        rx: 5,
      }),
      svg(
        "text",
        { x: 8, y: middle(i), dy: "0.35em" },
        each.name,
        `${each.name} ${roles[i]}`.length <= LETTERS ? svg("tspan", { class: "role", dx: 6 }, roles[i]) : null,
      ),
      bars[i],
      labels[i],
    ),
  );
  const arrows = stages.slice(1).map((_, i) => svg("path", { class: "arrow" }));
  const ways = stages.map(({ skip }) => (skip ? svg("path", { class: "way" }) : null));
  labels.forEach((label, i) => {
    label.setAttribute("y", middle(i));
    label.setAttribute("dy", "0.35em");
  });

  const drawing = svg(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${height}`,
      role: "radiogroup",
      "aria-label": "Stages of the network",
      "data-keys": true,
      onkeydown: (event) => {
        const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
        if (!by) return;
        event.preventDefault();
        const next = clamp(current + by, 0, stages.length - 1);
        onchoose(next);
        nodes[next].focus();
      },
    },
    svg(
      "defs",
      {},
      svg(
        "marker",
        {
          id: "skip-end",
          viewBox: "0 0 8 8",
          refX: 7,
          refY: 4,
          markerWidth: 7,
          markerHeight: 7,
          orient: "auto",
        },
        svg("path", { d: "M0 0L8 4L0 8Z" }),
      ),
    ),
    ...nodes,
    ...arrows,
    ...ways,
  );
  let current = 0;

  function sizesOfBars(all) {
    const highest = Math.max(...all.map(([rows]) => rows));
    const most = Math.max(...all.map(([, , channels]) => channels));
    return all.map(([rows, , channels]) => [
      WIDEST * Math.sqrt(rows / highest),
      3 + (pitch - 13) * (Math.log2(channels + 1) / Math.log2(most + 1)) ** 1.5,
    ]);
  }
  return {
    box: el("div", { class: "plan" }, drawing, keyOf(stages)),
    choose(number) {
      current = number;
      nodes.forEach((node, i) => {
        node.setAttribute("aria-checked", String(i === number));
        node.setAttribute("tabindex", i === number ? 0 : -1);
      });
    },
    sizes(all) {
      const shapes = sizesOfBars(all);
      shapes.forEach(([long, thick], i) => {
        const sides = { x: CENTRE - long / 2, y: middle(i) - thick / 2, width: long, height: thick };
        for (const [name, value] of Object.entries(sides)) bars[i].setAttribute(name, value);
        labels[i].textContent = sizes(...all[i]);
        nodes[i].setAttribute("aria-label", `${stages[i].name}, ${all[i].join(" by ")}`);
        if (i) {
          const from = middle(i - 1) + shapes[i - 1][1] / 2 + 1;
          const to = middle(i) - thick / 2 - 2;
          arrows[i - 1].setAttribute("d", to - from > 3 ? `M${CENTRE} ${from}V${to}m-3 -4l3 4l3 -4` : "");
        }
      });
      ways.forEach((way, i) => {
        if (!way) return;
        const { from } = stages[i].skip;
        const side = CENTRE - WIDEST / 2 - 8 - 9 * nested(stages, i);
        const left = (n) => CENTRE - shapes[n][0] / 2 - 1;
        way.setAttribute("d", `M${left(from)} ${middle(from)}H${side}V${middle(i)}H${left(i) - 2}`);
      });
    },
  };
}

// How many skips lie inside a skip: it is drawn that much further out.
function nested(stages, number) {
  const { from } = stages[number].skip;
  return stages.filter(({ skip }, i) => skip && i < number && skip.from > from).length;
}

function classOf({ skip, part, weights, trained }) {
  if (skip) return "node joins";
  if (part === "image" || !weights) return "node";
  return trained ? "node trained" : "node frozen";
}

function keyOf(stages) {
  const sum = (trained) =>
    stages
      .flatMap(({ since }) => since)
      .filter((row) => row.trained === trained)
      .reduce((all, { parameters }) => all + parameters, 0);
  const entry = (name, text) => el("span", {}, el("i", { class: name }), text);
  return el(
    "p",
    { class: "legend" },
    entry("frozen", `frozen (the encoder): ${count(sum(false))} weights`),
    entry("trained", `trained (the head): ${count(sum(true))} weights`),
    stages.some(({ skip }) => skip) ? entry("joins", "skip joins") : null,
    el("span", { class: "quiet" }, "Longer bar: larger map. Thicker: more channels."),
  );
}

// --- what is known of one stage

function panelOf(contents, stages) {
  const title = el("h3", {});
  const list = el("dl", { "aria-live": "polite" });
  const caption = el("p", { class: "quiet" });
  const grid = el("div", { class: "maps" });
  const box = el("div", { class: "panel" }, title, list, caption, grid);
  const names = operationsOf(contents);
  const operation = ({ name }) => contents.graph.operations[names[name]];
  const line = (term, ...text) => el("div", {}, el("dt", {}, term), el("dd", {}, ...text));
  const weightsOf = ({ parameters, trained }) =>
    parameters ? `${count(parameters)} weights, ${trained ? "trained" : "frozen"}` : "no weights";

  function facts(number, all) {
    const { row, since, weights, trained, skip, part } = stages[number];
    title.replaceChildren(row.name, el("span", { class: "quiet" }, ...ofSize(stages[number], stages[0])));
    const lines = [
      line("Map", `${sizes(...all[number])} `, el("span", { class: "quiet" }, `(${sizes("H", "W", "C")})`)),
    ];
    if (part === "image") {
      lines.push(line("Layer", "the picture: red, green and blue"));
    } else {
      const term = since.length > 1 && !skip ? "Last layer" : "Layer";
      lines.push(line(term, `${inWords(row, operation(row))}: ${weightsOf(row)}`));
      if (since.length > 1 && !skip) {
        const learns = weights ? `, ${trained ? "trained" : "frozen"}` : "";
        lines.push(
          line(
            `Since ${stages[number - 1].name}`,
            `${since.length} layers, ${count(weights)} weights${learns}`,
          ),
        );
      }
      if (skip)
        lines.push(
          line(
            "Skip",
            `from ${stages[skip.from].name}`,
            ...skip.through.map(
              (each) => ` through ${each.name}, ${inWords(each, operation(each))}: ${weightsOf(each)}`,
            ),
          ),
        );
    }
    list.replaceChildren(...lines);
    Object.assign(box.dataset, { stage: row.name, size: all[number].join(), weights, own: row.parameters });
  }
  return {
    box,
    facts,
    waiting() {
      caption.textContent = "The network computes its maps …";
      grid.classList.add("busy");
    },
    maps(number, found, classes) {
      const { part, row } = stages[number];
      const all = row.output_shape.at(-1);
      grid.classList.remove("busy");
      const scores = part === "head" && all === classes.length;
      caption.textContent =
        found.length < all
          ? `The ${found.length} strongest of ${all} channels, on average`
          : `Its ${all} channels`;
      const [low, high] = rangeOf(found);
      const { width, height } = found[0].map;
      grid.style.setProperty(
        "--columns",
        found.length < 4 ? Math.min(2, found.length) : width / height > 2 ? 3 : width / height > 1.2 ? 4 : 6,
      );
      grid.replaceChildren(
        ...found.map(({ channel, mean, map }) => {
          const name =
            part === "image"
              ? ["red", "green", "blue"][channel]
              : scores
                ? classes[channel].name
                : String(channel);
          const image = show(canvas(`${row.name}, channel ${name}`), sequential(map, low, high));
          return figure(image, name, { "data-channel": channel, "data-mean": mean });
        }),
      );
    },
  };
}

// What height and width of a stage are, measured by the picture's.
function ofSize({ part, row }, first) {
  const times = first.row.output_shape[0] / row.output_shape[0];
  if (part === "image" || !Number.isInteger(times)) return [];
  return [times === 1 ? "as large as the picture" : `1/${times} of the height and width`];
}

// One scale for all channels of a stage, from the lowest value to one that few exceed.
function rangeOf(found) {
  const values = Float32Array.from(
    found.flatMap(({ map: { data } }) => {
      const step = Math.ceil(data.length / 2000);
      return Array.from({ length: Math.ceil(data.length / step) }, (_, i) => data[i * step]);
    }),
  ).sort();
  return [values[Math.floor(0.005 * values.length)], values[Math.floor(0.995 * (values.length - 1))]];
}

// --- for the handout: the funnel

function drawing() {
  const bars = [
    [96, 3],
    [70, 6],
    [46, 10],
    [26, 15],
    [46, 10],
    [70, 6],
    [96, 3],
  ];
  let x = 6;
  const shapes = bars.map(([long, thick]) => {
    const shape = { x, y: 44 - (long * 0.8) / 2, width: thick, height: long * 0.8 };
    x += thick + 16;
    return shape;
  });
  const text = (at, words) =>
    svg("text", { x: at, y: 88, style: "fill: currentColor; stroke: none; font-size: 11px" }, words);
  const end = ({ x: left, width }) => left + width / 2;
  return svg(
    "svg",
    {
      viewBox: "0 0 240 92",
      width: 240,
      height: 90,
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.5,
    },
    ...shapes.map((shape, i) => svg("rect", { ...shape, fill: i < 4 ? "none" : "currentColor" })),
    svg("path", {
      "stroke-dasharray": "3 3",
      d: `M${end(shapes[2])} 25V8H${end(shapes[4])}V25M${end(shapes[1])} 16V3H${end(shapes[5])}V16`,
    }),
    text(14, "down: what"),
    text(98, "up: where"),
  );
}
