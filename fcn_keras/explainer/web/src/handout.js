// Two printed pages: every chapter's picture, question and sentence.
import { el } from "./ui/dom.js";

export function handout(page, chapters) {
  return el("article", { class: "handout", "aria-hidden": "true" },
    el("h1", {}, page.contents.title),
    el("p", {}, "After the lecture by Prof. Seungchul Lee, Industrial AI Lab."),
    ...chapters.map((chapter, i) => el("section", {},
      el("h2", {}, `${i + 1}  ${chapter.title}`),
      chapter.drawing ? el("div", { class: "drawing" }, chapter.drawing()) : null,
      el("p", { class: "ask" }, chapter.question.ask),
      el("p", {}, el("strong", {}, chapter.sentence)))));
}
