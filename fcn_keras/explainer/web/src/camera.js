// The camera, where the browser gives one to the page. What it sees stays in the page.
import { pixelsOf } from "./pictures.js";

export class NoCamera extends Error {}

const REASONS = {
  NotAllowedError: "The camera was refused. Allow it for this page in the browser (by the sign in the address bar), then press Camera again.",
  NotFoundError: "No camera was found. Choose or drop a photograph instead.",
  NotReadableError: "The camera is used by another program. Close that, then press Camera again.",
};
const NONE = "The browser gives this page no camera. Choose or drop a photograph instead.";

export class Camera {
  // Asks for the camera. Throws NoCamera with a sentence.
  static async start() {
    if (!navigator.mediaDevices?.getUserMedia) throw new NoCamera(NONE);
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: false, video: { width: { ideal: 640 }, facingMode: { ideal: "environment" } },
      });
      const camera = new Camera(stream);
      try {
        await camera.video.play();
      } catch (error) {
        camera.stop();
        throw error;
      }
      return camera;
    } catch (error) {
      throw new NoCamera(REASONS[error.name] ?? NONE);
    }
  }

  constructor(stream) {
    this.stream = stream;
    this.video = document.createElement("video");
    Object.assign(this.video, { muted: true, playsInline: true, srcObject: stream });
  }

  // Whether it was unplugged, or taken away by the browser.
  get ended() {
    return this.stream.getVideoTracks().every(({ readyState }) => readyState === "ended");
  }

  // What it sees now, as ImageData with no side longer than `longest`; null before its first picture.
  picture(longest) {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return null;
    const scale = Math.min(1, longest / Math.max(width, height));
    return pixelsOf(this.video, ...[width, height].map((side) => Math.max(1, Math.round(side * scale))));
  }

  stop() {
    this.stream.getTracks().forEach((track) => track.stop());
    this.video.srcObject = null;
  }
}
