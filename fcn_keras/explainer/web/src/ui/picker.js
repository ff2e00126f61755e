// A row of small pictures to choose from, and a place for the visitor's own.
import { NoPicture } from "../pictures.js";
import { canvas, clamp, el, newId } from "./dom.js";
import { show } from "./draw.js";
import { resized } from "../pictures.js";

const HEIGHT = 56;

// picker(page, say, { kinds: ["scene"], own: true }): the element. Its chapter hears of a choice by
// page's event "picture". `say(sentence)` tells what was wrong with a file.
export function picker(page, say, { kinds = null, own = true } = {}) {
  const row = el("div", { class: "picker", role: "group", "aria-label": "Pictures" });
  const entries = () => [
    ...page.own,
    ...page.contents.pictures.filter((entry) => !kinds || kinds.includes(entry.kind)),
  ];

  async function take(file) {
    if (!file) return;
    try {
      const picture = await page.take(file);
      say(picture.note ? `${picture.title}: ${picture.note}.` : "");
    } catch (error) {
      if (!(error instanceof NoPicture)) throw error;
      say(error.message);
    }
  }

  async function fill() {
    row.replaceChildren(...(own ? files() : []), ...entries().map((entry) => {
      const small = canvas(entry.title, 1, HEIGHT);
      page.picture(entry.id).then(({ image }) => {
        const width = clamp(Math.round((image.width / image.height) * HEIGHT), HEIGHT / 4, 5 * HEIGHT);
        show(small, resized(image, width, HEIGHT));
      });
      return el("button", {
        type: "button", class: "thumbnail", title: `${entry.title} (${entry.source})`,
        "aria-label": entry.title, "aria-pressed": String(entry.id === page.current),
        onclick: () => { say(""); page.choose(entry.id); },
      }, small);
    }));
    row.querySelector("[aria-pressed=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function files() {
    const id = newId("file");
    const input = el("input", {
      type: "file", id, accept: "image/*", class: "hidden",
      onchange: () => take(input.files[0]),
    });
    return [input, el("label", { for: id, class: "file" }, "Your picture …")];
  }

  // Dropping and pasting work anywhere on the page while this picker is on the screen.
  const here = () => own && row.isConnected;
  const over = (event) => { if (here()) event.preventDefault(); };
  const drop = (event) => {
    if (!here()) return;
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
    else say("That was no file. Save the picture first, then drop its file here.");
  };
  const paste = (event) => { if (here()) take(event.clipboardData?.files[0]); };
  document.addEventListener("dragover", over);
  document.addEventListener("drop", drop);
  document.addEventListener("paste", paste);
  page.addEventListener("picture", fill);
  row.stop = () => {
    document.removeEventListener("dragover", over);
    document.removeEventListener("drop", drop);
    document.removeEventListener("paste", paste);
    page.removeEventListener("picture", fill);
  };
  fill();
  return row;
}
