// The presenter's window (?present): notes, time, and the other window's chapter.
// Pages from disk share nothing but messages between a window and the one that it opened.
import { button, el } from "./ui/dom.js";

// In the window on the projector: tells the presenter's window where it is, and follows it.
export function listen(screen) {
  const partner = () => window.opener ?? null;
  window.addEventListener("message", ({ data, source }) => {
    if (!data || data.explainer !== "go" || source !== partner()) return;
    if (Number.isInteger(data.by)) screen.step(data.by);
  });
  screen.changed = (number) => partner()?.postMessage({ explainer: "at", number }, "*");
}

export function presenter(contents, chapters) {
  document.title = "Presenter – FCN Explainer";
  document.body.classList.add("presenter");
  let number = 0;
  let projector = null;
  let start = Date.now();
  let chapterStart = start;

  const clock = el("output", { class: "clock", "aria-label": "Time" });
  const title = el("h1", {});
  const notes = el("ul", {});
  const sentence = el("p", { class: "sentence" });
  const question = el("p", {});
  const after = el("p", { class: "quiet" });
  const planned = chapters.reduce((sum, { minutes }) => sum + minutes, 0);
  const open = () => {
    projector = window.open(`${location.href.split(/[?#]/)[0]}#${chapters[number].id}`, "projector");
    if (!projector) after.textContent = "The browser did not open a second window. Allow pop-ups for this page.";
  };
  // With a projector's window that one moves, and says where it is. Without one the notes do alone.
  const step = (by) => {
    if (projector && !projector.closed) projector.postMessage({ explainer: "go", by }, "*");
    else if (chapters[number + by]) { number += by; render(); }
  };
  const again = () => { start = chapterStart = Date.now(); tick(); };

  function render() {
    const chapter = chapters[number];
    title.textContent = `${number + 1} / ${chapters.length} ${chapter.title}`;
    notes.replaceChildren(...chapter.notes.map((note) => el("li", {}, note)));
    question.textContent = `Ask: ${chapter.question.ask} (${chapter.question.answers[chapter.question.right]})`;
    sentence.textContent = chapter.sentence;
    const next = chapters[number + 1];
    after.textContent = next ? `Next: ${next.title}. ${next.question.ask}` : "This is the last chapter.";
    chapterStart = Date.now();
  }
  function tick() {
    const text = (ms) => `${Math.floor(ms / 60000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;
    clock.textContent = `${text(Date.now() - start)} of ${planned} min · this chapter ${text(Date.now() - chapterStart)} of ${chapters[number].minutes} min`;
  }
  window.addEventListener("message", ({ data, source }) => {
    if (source !== projector || data?.explainer !== "at") return;
    number = data.number;
    render();
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowRight" || key === "PageDown") step(1);
    if (key === "ArrowLeft" || key === "PageUp") step(-1);
  });
  document.body.append(el("main", { id: "main" },
    el("div", { class: "controls" },
      button("Open the projector's window", open, { class: "main" }),
      button("‹ Back", () => step(-1)), button("Next ›", () => step(1)), clock,
      button("Start the clock again", again)),
    title, question, el("h2", {}, "Notes"), notes, el("h2", {}, "To take home"), sentence, after));
  render();
  tick();
  setInterval(tick, 500);
}
