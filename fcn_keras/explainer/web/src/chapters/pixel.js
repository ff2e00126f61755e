// A prediction under every pixel: its scores, and what they have seen (L17, L15).
import { sizes } from "../ui/counts.js";
import { canvas, clamp, el, newId, number, svg } from "../ui/dom.js";
import { SERIES, argmax, css, overlay, pointed, show, softmax } from "../ui/draw.js";
import { frame } from "../ui/frame.js";
import { outside, positionsAbove, seenBy } from "../ui/fields.js";
import { looked } from "../ui/looked.js";
import { newest } from "../ui/newest.js";
import { picker } from "../ui/picker.js";
import { inWords, stagesOf } from "../ui/stages.js";
import { mapsOf } from "../network/fields.js";
import { maps } from "../network/predict.js";

const MOST_CLASSES = 5; // bars at a time; of more classes the highest are shown
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export default {
  id: "pixel",
  title: "A prediction under every pixel",
  claims: ["L17", "L15"],
  minutes: 5,
  question: {
    ask: "The output is as high and as wide as the picture. What stands in it at one pixel?",
    answers: ["The number of its class", "One score for every class", "The colour in which it is drawn"],
    right: 1,
    because:
      "The output has one channel per class: the scores. The class is only read off them: the highest wins.",
  },
  todo:
    "Point at a pixel, or use the arrow keys; a click keeps it. Then go through the layers: how much does " +
    "each see there?",
  sentence: "The channels under a pixel are its class scores; each has seen a wide area around it.",
  notes: [
    "Ask before pointing: how many numbers leave the network for this picture? (Height × width × classes.)",
    "Point just inside and just outside an edge: the two scores change places within a few pixels.",
    "Probabilities add up to 1, scores do not have to. Only the difference between scores counts.",
    "Usual misconception: “the network looks at one pixel's colour.” Go through the layers: the " +
      "rectangle grows.",
    "Go to a corner: most of the receptive field lies outside the picture, where padding puts zeros. A " +
      "position of a small map serves many pixels, so its field is seldom centred on the cross.",
  ],
  drawing,
  build,
};

function build(stage, { page, say }) {
  const failed = (error) => say(error.message);
  const { contents } = page;
  const layers = layersOf(contents);
  let seen = null; // the picture on the screen
  let fields = null; // its layers: positions above each pixel, and what they see
  let scores = null; // what the network gave for it
  let chosen = null; // pixel that a click keeps
  let pixel = null; // pixel that is shown
  let layer = layers.find(({ name }) => name === "pool3") ?? layers[Math.floor(layers.length / 2)];

  const view = pictureView();
  const key = keyOf();
  const bars = barsOf(page.classes);
  const tower = towerOf(layers, layer, (next) => {
    layer = next;
    render();
  });
  const heard = el("p", { class: "hidden", role: "status", "aria-live": "polite" });
  const row = picker(page, say);
  stage.append(
    row,
    el("div", {}, view.box, key.box),
    el("div", { class: "pixel-below" }, el("div", {}, bars.box, tower.facts), tower.box),
    heard,
  );

  const update = newest(async (_, still) => {
    const next = await looked(page);
    if (!still()) return;
    seen = next;
    scores = null;
    chosen = null;
    const { width, height } = seen.image;
    pixel = { x: Math.floor(width / 2), y: Math.floor(height / 2) };
    fields = fieldsOf(contents, layers, height, width);
    view.picture(seen.image);
    render();
    const network = await page.network();
    if (!still()) return;
    await frame();
    if (!still()) return;
    scores = scoresOf(network, contents.networks.result, seen.image);
    view.picture(overlay(seen.image, argmax(scores), page.colours, 0.35));
    render();
  }, failed);

  function render() {
    if (!seen) return;
    const found = fields.get(layer.name);
    const under = footprint(found, pixel);
    view.mark(pixel, under, found.sees(pixel));
    key.show(layer.name, under);
    bars.show(pixel, scores);
    tower.show(layer, pixel, fields, seen.image);
  }

  // Said a moment after the last change, so that moving does not make a screen reader stammer.
  let timer = null;
  function tell() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      heard.textContent = `${bars.words()} ${tower.words()}`;
    }, 500);
  }

  function go(x, y) {
    const { width, height } = seen.image;
    pixel = { x: clamp(x, 0, width - 1), y: clamp(y, 0, height - 1) };
    render();
    tell();
  }
  const moved = (event) => {
    if (!seen) return;
    const { x, y } = pointed(view.canvas, event);
    go(x, y);
    if (event.type === "pointerdown") chosen = pixel;
  };
  const left = () => {
    if (chosen) go(chosen.x, chosen.y);
  };
  const pressed = (event) => {
    const step = KEYS[event.key];
    if (!step || !seen || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const far = event.shiftKey ? 10 : 1;
    go(pixel.x + far * step[0], pixel.y + far * step[1]);
    chosen = pixel;
  };
  view.box.addEventListener("pointermove", moved);
  view.box.addEventListener("pointerdown", moved);
  view.box.addEventListener("pointerleave", left);
  view.box.addEventListener("keydown", pressed);
  page.addEventListener("picture", update);
  update();
  return {
    stop() {
      page.removeEventListener("picture", update);
      update.stop();
      row.stop();
      clearTimeout(timer);
    },
  };
}

// --- what is computed

// The layers to choose from: the first convolution, the stages of the encoder, where the head widens
// the view further, and the result.
function layersOf({ layers: rows, graph, networks }) {
  const known = graph.models[networks.result];
  const operation = ({ name }) => graph.operations[known[name]];
  const wide = (row) => (operation(row).kernel ?? [1]).some((side) => side > 1);
  const stages = stagesOf(rows);
  const encoder = stages.filter(({ part }) => part === "encoder").map(({ row }) => row);
  const first = rows.find((row) => /Conv2D/.test(row.kind) && wide(row));
  const lowest = encoder.at(-1).output_shape[0];
  const head = stages.filter(
    ({ part, row }) => part === "head" && row.output_shape[0] === lowest && wide(row),
  );
  const roleOf = (row) =>
    encoder.includes(row)
      ? `end of level ${encoder.indexOf(row) + 1}`
      : row === first
        ? "the first convolution"
        : inWords(row, operation(row));
  const inner = [first, ...encoder, ...head.map(({ row }) => row)];
  const all = [...new Set(inner)].filter((row) => row && row.name !== "output" && row !== rows.at(-1));
  return [
    ...all.map((row) => ({ name: row.name, words: roleOf(row) })),
    { name: "output", words: "the scores" },
  ];
}

// For each layer its size, the position above a pixel, and the pixels that this position sees.
function fieldsOf({ graph, networks }, layers, height, width) {
  const known = mapsOf(graph, networks.result, height, width);
  return new Map(
    layers.map(({ name }) => {
      const map = known[name];
      const [down, across] = map.fields;
      const rows = positionsAbove(down, map.height, height);
      const columns = positionsAbove(across, map.width, width);
      return [
        name,
        {
          height: map.height,
          width: map.width,
          size: [down?.size ?? height, across?.size ?? width],
          rows,
          columns,
          sees: ({ x, y }) => {
            const found = [seenBy(down, rows[y], height), seenBy(across, columns[x], width)];
            return found.every(Boolean) ? { rows: found[0], columns: found[1] } : null;
          },
        },
      ];
    }),
  );
}

// The pixels above which the same position lies.
function footprint({ rows, columns }, { x, y }) {
  const same = (positions, place) => [
    positions.indexOf(positions[place]),
    positions.lastIndexOf(positions[place]),
  ];
  return { rows: same(rows, y), columns: same(columns, x) };
}

// The scores of a picture: { data, height, width, channels }. A network that ends in a softmax gives
// probabilities; their logarithms are scores again.
function scoresOf(network, model, image) {
  const { output } = maps(network, model, image);
  const { kind, activation } = network.operations[network.number(model, "output")];
  if (kind !== "Softmax" && activation !== "softmax") return output;
  return { ...output, data: output.data.map((p) => Math.log(Math.max(p, 1e-30))) };
}

// --- the picture

function pictureView() {
  const picture = canvas("The picture with what the network found");
  const outer = svg("path", { class: "dim", "fill-rule": "evenodd" });
  const edges = [svg("rect", { class: "halo" }), svg("rect", { class: "field" })];
  const cell = svg("rect", { class: "cell" });
  const cross = [svg("path", { class: "halo" }), svg("path", { class: "cross" })];
  const marks = svg("svg", { "aria-hidden": "true" }, outer, cell, ...edges, ...cross);
  const box = el(
    "div",
    {
      class: "pixel-picture",
      tabindex: 0,
      "data-keys": true,
      role: "group",
      "aria-label": "The picture. The arrow keys move the pixel.",
    },
    picture,
    marks,
  );
  const place = (rect, { rows: [top, bottom], columns: [left, right] }) => {
    const sides = { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
    for (const [name, value] of Object.entries(sides)) rect.setAttribute(name, value);
  };
  let size = { width: 1, height: 1 };
  return {
    box,
    canvas: picture,
    picture(image) {
      size = image;
      show(picture, image);
      box.style.setProperty("--aspect", image.width / image.height);
      marks.setAttribute("viewBox", `0 0 ${image.width} ${image.height}`);
    },
    // Everything outside what is seen is dark; the cell is what one position stands for.
    mark({ x, y }, under, sees) {
      const { width, height } = size;
      const inside = sees && {
        rows: [Math.max(0, sees.rows[0]), Math.min(height - 1, sees.rows[1])],
        columns: [Math.max(0, sees.columns[0]), Math.min(width - 1, sees.columns[1])],
      };
      const hole = () => {
        const [[top, bottom], [left, right]] = [inside.rows, inside.columns];
        return `M${left} ${top}H${right + 1}V${bottom + 1}H${left}Z`;
      };
      outer.setAttribute("d", `M0 0H${width}V${height}H0Z${inside ? hole() : ""}`);
      for (const rect of edges) if (inside) place(rect, inside);
      place(cell, under);
      const arm = Math.max(width, height) / 40;
      for (const path of cross) {
        path.setAttribute(
          "d",
          `M${x + 0.5 - arm} ${y + 0.5}h${2 * arm}M${x + 0.5} ${y + 0.5 - arm}v${2 * arm}`,
        );
      }
    },
  };
}

// What the marks in the picture mean. The frame is seldom centred on the cross: a position of a small
// map stands for many pixels.
function keyOf() {
  const mark = (name) => el("i", { class: name, "aria-hidden": "true" });
  const cell = el("span", {});
  const field = el("span", {});
  return {
    box: el(
      "p",
      { class: "pixel-key" },
      el("span", {}, el("i", { class: "cross", "aria-hidden": "true" }, "+"), "the pixel"),
      el("span", {}, mark("cell"), cell),
      el("span", {}, mark("field"), field),
    ),
    show(layer, { rows: [top, bottom], columns: [left, right] }) {
      const shared = [bottom - top + 1, right - left + 1];
      cell.textContent = shared.every((side) => side === 1)
        ? "its own position"
        : `${sizes(...shared)} pixels share one position of ${layer}`;
      field.textContent = "what that position sees";
    },
  };
}

// --- the scores under the pixel

function barsOf(classes) {
  const title = el("h3", {});
  const table = el("div", { class: "pixel-bars" });
  const verdict = el("p", { class: "read pixel-verdict" });
  const box = el("div", { class: "pixel-scores" }, title, table, verdict);
  const colour = (i) => css(classes[i]?.colour ?? (i ? SERIES[i % SERIES.length] : [128, 136, 150]));
  const name = (i) => classes[i]?.name ?? `class ${i}`;
  let limit = { of: null, value: 1 };
  let words = "";

  function row(i, score, probability, wins) {
    const share = clamp(score / limit.value, -1, 1);
    const from = score < 0 ? 50 + 50 * share : 50;
    const bar = (left, width) =>
      el("span", { class: "fill", style: `left: ${left}%; width: ${width}%; background: ${colour(i)}` });
    return el(
      "div",
      {
        class: wins ? "row wins" : "row",
        "data-class": i,
        "data-score": score,
        "data-probability": probability,
      },
      el("span", { class: "name" }, name(i)),
      el("span", { class: "value" }, number(score)),
      el("span", { class: "bar both" }, bar(from, Math.abs(50 * share))),
      el("span", { class: "value" }, number(probability, 3)),
      el("span", { class: "bar" }, bar(0, 100 * probability)),
    );
  }

  return {
    box,
    words: () => words,
    show({ x, y }, scores) {
      title.textContent = `The output at row ${y}, column ${x}`;
      if (!scores) {
        table.replaceChildren(el("p", { class: "quiet" }, "The network is starting …"));
        verdict.textContent = "";
        words = title.textContent;
        return;
      }
      if (limit.of !== scores) {
        limit = { of: scores, value: usual(scores.data) };
      }
      const { channels, width, data } = scores;
      const start = (y * width + x) * channels;
      const here = Array.from(data.subarray(start, start + channels));
      const probabilities = softmax(here);
      const order = here.map((_, i) => i).sort((a, b) => here[b] - here[a] || a - b);
      const shown = channels > MOST_CLASSES ? order.slice(0, MOST_CLASSES) : here.map((_, i) => i);
      const [best, second] = order;
      table.replaceChildren(
        el(
          "div",
          { class: "row head" },
          el("span", {}),
          el("span", { class: "two" }, "score (logit)"),
          el("span", { class: "two" }, "probability"),
        ),
        ...shown.map((i) => row(i, here[i], probabilities[i], i === best)),
        channels > shown.length
          ? el("p", { class: "quiet" }, `and ${channels - shown.length} lower classes`)
          : "",
      );
      box.dataset.winner = best;
      verdict.replaceChildren(
        el("strong", {}, `${name(best)} wins`),
        ...(second === undefined ? ["."] : lead(here[best], here[second], name(second))),
      );
      words = `${title.textContent}: ${shown
        .map((i) => `${name(i)} score ${number(here[i])}, probability ${number(probabilities[i], 3)}`)
        .join("; ")}. ${verdict.textContent}`;
    },
  };
}

// The size that nine in ten scores of a picture stay below: a full bar.
function usual(data) {
  const step = Math.ceil(data.length / 4000);
  const sample = Float32Array.from({ length: Math.ceil(data.length / step) }, (_, i) =>
    Math.abs(data[i * step]),
  );
  return sample.sort()[Math.floor(0.9 * sample.length)] || 1;
}

// What a lead in scores means for probabilities: their ratio is e to the power of it. The lead is that
// of the scores as they are printed, so that whoever subtracts them finds the same number.
function lead(best, second, other) {
  const printed = (score) => Number(score.toFixed(2));
  const ahead = printed(best) - printed(second);
  const times = Math.exp(ahead);
  const start = `, ${number(ahead)} ahead of ${other}: `;
  if (times >= 1e6) return [`${start}more than a million times as probable.`];
  return [
    `${start}about ${Number(times.toPrecision(2)).toLocaleString("en")} times as probable (e`,
    el("sup", {}, number(ahead)),
    ").",
  ];
}

// --- the layers above the pixel

function towerOf(layers, chosen, onchange) {
  const group = newId("layer");
  const rows = layers.map(({ name, words }) => {
    const marks = svg("svg", { preserveAspectRatio: "none", "aria-hidden": "true" });
    const size = el("span", { class: "size read" });
    const input = el("input", {
      type: "radio",
      name: group,
      value: name,
      checked: name === chosen.name,
      class: "hidden",
      onchange: () => onchange(layers.find((layer) => layer.name === name)),
    });
    return {
      name,
      marks,
      size,
      input,
      node: el(
        "label",
        { title: words, "data-layer": name },
        input,
        el("span", { class: "name" }, name),
        marks,
        size,
      ),
    };
  });
  const facts = el("p", { class: "read facts" });
  const box = el(
    "fieldset",
    { class: "pixel-tower" },
    el("legend", { class: "hidden" }, "Layer"),
    el(
      "div",
      { class: "head" },
      el("h3", {}, "Layer"),
      el("span", {}, "columns that it sees"),
      el("span", { class: "size" }, "pixels, at most"),
    ),
    ...rows.map(({ node }) => node),
    el(
      "p",
      { class: "pixel-key" },
      el("span", {}, el("i", { class: "within", "aria-hidden": "true" }), "in the picture"),
      el("span", {}, el("i", { class: "beyond", "aria-hidden": "true" }), "outside: padding"),
    ),
  );
  let words = "";

  // A bar from the first to the last column: full inside the picture, thin outside.
  function bar({ marks }, found, pixel, width, margin) {
    const sees = found.sees(pixel);
    const unit = (width + 2 * margin) / 100;
    marks.setAttribute("viewBox", `${-margin} 0 ${width + 2 * margin} 10`);
    marks.replaceChildren(svg("rect", { class: "all", x: 0, y: 0, width, height: 10 }));
    if (!sees) return;
    const [left, right] = sees.columns;
    const [from, to] = [Math.max(0, left), Math.min(width, right + 1)];
    marks.append(
      svg("rect", { class: "beyond", x: left, y: 4, width: right - left + 1, height: 2 }),
      svg("rect", {
        class: "within",
        x: Math.min(from, width - unit),
        y: 1.5,
        width: Math.max(unit, to - from),
        height: 7,
      }),
    );
  }

  return {
    box,
    facts,
    words: () => words,
    show(layer, pixel, fields, { width, height }) {
      const widest = Math.max(...layers.map(({ name }) => fields.get(name).size[1]));
      const margin = Math.min(width, Math.ceil(widest / 2));
      for (const row of rows) {
        const found = fields.get(row.name);
        bar(row, found, pixel, width, margin);
        row.size.textContent = sizes(...found.size);
        row.node.classList.toggle("chosen", row.name === layer.name);
      }
      const found = fields.get(layer.name);
      const sees = found.sees(pixel);
      const position = [found.rows[pixel.y], found.columns[pixel.x]];
      Object.assign(box.dataset, {
        layer: layer.name,
        position: position.join(),
        rows: sees ? sees.rows.join() : "",
        columns: sees ? sees.columns.join() : "",
      });
      facts.replaceChildren(
        el("strong", {}, layer.name),
        ` (${layer.words}): ${sizes(found.height, found.width)} positions. The one over the pixel ` +
          view(sees, height, width),
      );
      words = facts.textContent;
    },
  };
}

function view(sees, height, width) {
  if (!sees) return "sees no pixel.";
  const { rows, columns } = sees;
  const beyond = outside(rows, columns, height, width);
  const where =
    beyond > 0
      ? `${number(100 * beyond, beyond < 0.1 ? 1 : 0)} % of them lie outside, where padding puts zeros.`
      : "all of them in the picture.";
  return `reaches, through all layers before, over ${sizes(rows[1] - rows[0] + 1, columns[1] - columns[0] + 1)} pixels, ${where}`;
}

// --- for the handout: a pixel, its channels, their bars

function drawing() {
  const grid = [0, 1, 2, 3, 4].flatMap((i) => [svg("path", { d: `M${8 + 18 * i} 8v72M8 ${8 + 18 * i}h72` })]);
  const text = (x, y, words) => svg("text", { x, y, style: "fill: currentColor; font-size: 11px" }, words);
  return svg(
    "svg",
    { viewBox: "0 0 240 90", width: 240, height: 90, fill: "none", stroke: "currentColor" },
    ...grid,
    svg("rect", { x: 44, y: 26, width: 18, height: 18, fill: "currentColor" }),
    svg("path", { d: "M62 35h36m-6 -4l6 4l-6 4" }),
    svg("rect", { x: 104, y: 14, width: 18, height: 18 }),
    svg("rect", { x: 104, y: 40, width: 18, height: 18 }),
    svg(
      "g",
      { stroke: "none" },
      text(104, 76, "one score for each class"),
      text(128, 27, "−2"),
      text(128, 53, "3"),
      svg("rect", { x: 150, y: 20, width: 6, height: 8, fill: "currentColor" }),
      svg("rect", { x: 150, y: 46, width: 66, height: 8, fill: "currentColor" }),
    ),
  );
}
