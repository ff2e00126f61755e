// What all chapters share: what the page carries, the picture that is looked at, the network.
import { loadNetwork } from "./network/load.js";
import { bundled, fromFile, resized } from "./pictures.js";

export class Page extends EventTarget {
  #pictures = new Map();
  #network = null;

  // contents: what explainer/contents.py wrote into the page.
  constructor(contents) {
    super();
    this.contents = contents;
    this.own = []; // pictures that the visitor gave, newest first
    this.current = contents.pictures[0]?.id ?? null;
  }

  // The classes of the page's networks: [{ name, colour: [r, g, b] or null }, …].
  get classes() {
    return this.contents.classes;
  }

  // The number of the class that a chapter asks for: the first that is not the background.
  get object() {
    return Math.max(0, this.classes.findIndex(({ name }) => name !== "background"));
  }

  // Whether a picture has labels, and these are of the networks' classes.
  hasTruth({ labels, classes }) {
    return Boolean(labels) && classes?.join() === this.classes.map(({ name }) => name).join();
  }

  // A bundled picture with such labels: its id, or undefined.
  get labelled() {
    return this.contents.pictures.find((entry) => this.hasTruth(entry))?.id;
  }

  // The colours to paint over a picture: none for the background.
  get colours() {
    return this.classes.map(({ colour }) => colour);
  }

  // Name of a network in the page: networks.result, .strides[8], .cae, .paint, .checkpoints.
  get networks() {
    return this.contents.networks;
  }

  // The network, started when it is first asked for. Rejects with NoNetwork and a sentence.
  network() {
    this.#network ??= loadNetwork(this.contents.graph);
    return this.#network;
  }

  // A picture by its id: { id, title, source, image, labels, classes }.
  async picture(id = this.current) {
    const own = this.own.find((picture) => picture.id === id);
    if (own) return own;
    if (!this.#pictures.has(id)) {
      this.#pictures.set(id, bundled(this.contents.pictures.find((entry) => entry.id === id)));
    }
    return this.#pictures.get(id);
  }

  // A picture as the result's network takes it: in the size that it was trained on, if it has one.
  fitting(image) {
    const [height, width] = this.contents.size ?? [image.height, image.width];
    return height === image.height && width === image.width ? image : resized(image, width, height);
  }

  // Chooses the picture that all chapters look at; they hear of it by the event "picture".
  choose(id) {
    this.current = id;
    this.dispatchEvent(new Event("picture"));
  }

  // Takes a picture file of the visitor. Throws NoPicture with a sentence.
  async take(file) {
    return this.add(await fromFile(file));
  }

  add(picture) {
    this.own = [picture, ...this.own.filter(({ id }) => id !== picture.id)].slice(0, 8);
    this.choose(picture.id);
    return picture;
  }
}
