// While somebody drags, wishes come faster than a network answers. Only the newest one is worth
// computing, and it is never lost.

// newest(work, failed) returns ask(wish): work(wish, current) runs for the newest wish, one at a
// time. After waiting for something, `work` asks current() whether anybody still wants its answer.
// ask.stop() when the chapter goes. Errors go to failed(error).
export function newest(work, failed) {
  let waiting = null; // [wish], so that a wish may be anything
  let running = false;
  let stopped = false;

  async function run() {
    running = true;
    while (waiting && !stopped) {
      const [wish] = waiting;
      waiting = null;
      try {
        await work(wish, () => !stopped && waiting === null);
      } catch (error) {
        if (!stopped) failed(error);
      }
      // Lets the page draw, and hear of newer wishes, before the next computation blocks it.
      await new Promise((resolve) => setTimeout(resolve));
    }
    running = false;
  }

  const ask = (wish) => {
    waiting = [wish];
    if (!running && !stopped) run();
  };
  ask.stop = () => { stopped = true; };
  return ask;
}
