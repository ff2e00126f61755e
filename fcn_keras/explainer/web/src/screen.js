// The screen: header with the way through the chapters, a column of words, the stage.
import { button, el } from "./ui/dom.js";
import { canvasIsTrue } from "./pictures.js";
import { handout } from "./handout.js";
import { listen } from "./presenter.js";

export class Screen {
  constructor(page, chapters) {
    this.page = page;
    this.chapters = chapters;
    this.number = 0;
    this.answered = new Map(); // chapter → which answer was given
  }

  start() {
    const alone = this.chapters.length === 1;
    this.header = el("header", {}, ...(alone ? [] : this.#navigation()));
    this.words = el("div", { class: "words" });
    this.stage = el("section", { class: "stage", "aria-label": "Try it" });
    this.message = el("p", { role: "status", "aria-live": "polite" });
    this.bar = el("div", { class: "message" }, this.message, button("×", () => this.say(""), { "aria-label": "Close the message" }));
    const main = el("main", { id: "main", tabindex: "-1" }, this.words, this.stage);
    document.body.classList.toggle("alone", alone);
    document.body.append(this.header, main, this.bar, handout(this.page, this.chapters));
    if (!alone) {
      document.addEventListener("keydown", (event) => this.#key(event));
      // Whoever moved a slider with the mouse turns the page with the next arrow key.
      document.addEventListener("pointerup", () => setTimeout(() => {
        if (document.activeElement?.matches("input[type=range], input[type=radio], input[type=checkbox]")) {
          document.activeElement.blur();
        }
      }));
      window.addEventListener("hashchange", () => this.#fromAddress());
      listen(this);
    }
    if (!canvasIsTrue()) {
      this.say("This browser changes pictures before a page may read them (protection from fingerprinting). What the networks see here is therefore wrong.");
    }
    this.#fromAddress();
  }

  // A sentence for the visitor, at the bottom of the screen; "" takes it away.
  say(sentence) {
    this.message.textContent = sentence;
    this.bar.classList.toggle("shown", Boolean(sentence));
  }

  get chapter() {
    return this.chapters[this.number];
  }

  #navigation() {
    this.previous = button("‹", () => this.step(-1), { class: "step", "aria-label": "Previous chapter", title: "Previous chapter (←)" });
    this.next = button("›", () => this.step(1), { class: "step", "aria-label": "Next chapter", title: "Next chapter (→)" });
    this.title = el("h1", {});
    this.links = this.chapters.map((chapter, i) =>
      el("a", { href: `#${chapter.id}`, "aria-label": `${i + 1}. ${chapter.title}`, title: chapter.title }));
    return [
      el("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); document.getElementById("main").focus(); } }, "To the chapter"),
      this.previous,
      this.title,
      el("nav", { "aria-label": "Chapters" }, ...this.links),
      button("◐", () => this.#theme(), { class: "step", "aria-label": "Light or dark" }),
      this.next,
    ];
  }

  #theme() {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  }

  // A clicker sends PageDown, which always turns the page. The arrows do unless something uses them.
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = event.target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable], [data-keys]");
    if (event.key === "PageDown" || (event.key === "ArrowRight" && !inside)) this.step(1);
    else if (event.key === "PageUp" || (event.key === "ArrowLeft" && !inside)) this.step(-1);
    else if (event.key === "p" && !inside) window.open(`${location.href.split(/[?#]/)[0]}?present`, "presenter");
    else return;
    event.preventDefault();
  }

  step(by) {
    const next = this.number + by;
    if (next >= 0 && next < this.chapters.length) location.hash = this.chapters[next].id;
  }

  #fromAddress() {
    const found = this.chapters.findIndex(({ id }) => id === location.hash.slice(1));
    if (found < 0 && this.current) return; // a link to a place inside the chapter
    this.#open(Math.max(0, found));
  }

  #open(number) {
    this.running?.stop?.();
    this.number = number;
    const { chapter } = this;
    this.current = chapter.id;
    this.say("");
    document.title = `${chapter.title} – FCN Explainer`;
    if (this.title) {
      this.title.replaceChildren(el("span", {}, `${number + 1} / ${this.chapters.length}`), ` ${chapter.title}`);
      this.links.forEach((link, i) => {
        if (i === number) link.setAttribute("aria-current", "step");
        else link.removeAttribute("aria-current");
      });
      this.previous.disabled = number === 0;
      this.next.disabled = number === this.chapters.length - 1;
    }
    this.words.replaceChildren(...this.#wordsOf(chapter));
    this.stage.replaceChildren();
    this.stage.dataset.chapter = chapter.id;
    this.running = null;
    const tools = { page: this.page, say: (sentence) => this.say(sentence) };
    try {
      this.running = chapter.build(this.stage, tools);
    } catch (error) {
      this.say(`This chapter could not be shown: ${error.message}`);
      throw error;
    }
    document.getElementById("main").scrollTop = 0;
    this.changed?.(number);
  }

  // The question first; whoever has answered it sees what is true, and the sentence to take home.
  #wordsOf(chapter) {
    const { question } = chapter;
    const because = el("p", { class: "because", role: "status", "aria-live": "polite" });
    const sentence = el("p", { class: "sentence" }, chapter.sentence);
    const home = el("div", { class: "home" }, el("h2", {}, "To take home"), sentence);
    const answers = question.answers.map((text, i) =>
      button(text, () => answer(i), { class: "answer", "aria-pressed": "false" }));
    const list = el("div", { class: "answers" }, ...answers);
    const answer = (given) => {
      list.classList.add("given"); // what is neither right nor chosen makes room
      this.answered.set(chapter.id, given);
      answers.forEach((node, i) => {
        node.setAttribute("aria-pressed", String(i === given));
        node.classList.toggle("right", i === question.right);
        node.classList.toggle("wrong", i === given && given !== question.right);
      });
      because.replaceChildren(
        el("strong", {}, given === question.right ? "Yes. " : "Not quite. "), question.because,
      );
      home.classList.add("shown");
    };
    const given = this.answered.get(chapter.id);
    const words = [
      ...(this.title ? [] : [el("h1", {}, chapter.title)]),
      el("div", { class: "question" },
        el("h2", {}, "What do you think?"), el("p", {}, question.ask),
        list, because),
      el("div", { class: "do" }, el("h2", {}, "Try it"), el("p", {}, chapter.todo)),
      home,
    ];
    if (given !== undefined) answer(given);
    return words;
  }
}
