// The page: one chapter on the screen at a time, stepped through with the arrow keys.
import { CHAPTERS } from "./chapters/index.js";
import { mapsOf } from "./network/fields.js";
import { Head } from "./network/training.js";
import { maps } from "./network/predict.js";
import { Page } from "./page.js";
import { Screen } from "./screen.js";
import { presenter } from "./presenter.js";

const contents = JSON.parse(document.getElementById("contents").textContent);
const shown = contents.chapters.map((id) => CHAPTERS.find((chapter) => chapter.id === id));
const page = new Page(contents);
// For whoever opens the console, and for the tests:
// FCN.maps(await explainer.network(), "result", (await explainer.picture()).image, ["pool3"])
globalThis.explainer = page;
globalThis.FCN = { maps, mapsOf, Head };

if (new URLSearchParams(location.search).has("present")) presenter(contents, shown);
else new Screen(page, shown).start();
