// Finds a text in the lines of logs that are loaded, and shows where: by the CSS Custom Highlight API, which changes
// nothing in the document; where a browser lacks it, whole lines are marked.

const MOST = 2000;
const canHighlight = typeof Highlight === "function" && CSS.highlights;

export class LogFinder {
  #boxes;
  #input;
  #found = []; // {range, line}
  #place = -1;
  #timer = 0;
  onChange = () => {};

  constructor(boxes, input) {
    this.#boxes = boxes;
    this.#input = input;
    input.addEventListener("input", () => this.#soon(120));
    if (input.value) this.#soon(0);
  }

  get count() {
    return this.#found.length;
  }

  /** Lines came or went. */
  changed() {
    if (this.#input.value) this.#soon(400);
  }

  #soon(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#find(), wait);
  }

  #find() {
    const here = this.#found[this.#place]?.line;
    for (const { line } of this.#found) line.classList.remove("hit", "here");
    this.#found = [];
    const wanted = this.#input.value.toLowerCase();
    if (wanted) {
      for (const box of this.#boxes) {
        for (const line of box.querySelectorAll(".l")) {
          if (this.#found.length >= MOST) break;
          const whole = line.textContent;
          const lower = whole.toLowerCase();
          const text = lower.length === whole.length ? lower : whole; // few letters are longer in lower case
          for (let at = text.indexOf(wanted); at >= 0 && this.#found.length < MOST; at = text.indexOf(wanted, at + wanted.length)) {
            this.#found.push({ line, range: canHighlight ? rangeIn(line, at, at + wanted.length) : null });
          }
        }
      }
    }
    this.#place = here ? this.#found.findIndex((each) => each.line === here) : -1;
    this.#show();
  }

  /** To the next match, or the one before. */
  step(by) {
    if (!this.#found.length) return;
    const first = this.#place < 0;
    this.#place = first ? (by > 0 ? 0 : this.#found.length - 1) : (this.#place + by + this.#found.length) % this.#found.length;
    const { line } = this.#found[this.#place];
    const box = line.closest(".log");
    box.scrollTop = line.offsetTop - box.offsetTop - box.clientHeight / 2;
    this.#show();
  }

  #show() {
    const here = this.#found[this.#place];
    if (canHighlight) {
      CSS.highlights.set("log-found", new Highlight(...this.#found.filter((each) => each !== here).map((each) => each.range)));
      CSS.highlights.set("log-here", new Highlight(...(here ? [here.range] : [])));
    } else {
      for (const { line } of this.#found) line.classList.add("hit");
    }
    for (const { line } of this.#found) line.classList.toggle("here", line === here?.line);
    this.onChange(this.#place + 1, this.#found.length, this.#found.length >= MOST);
  }
}

/** The range of characters of a line's text, which may be spread over several elements. */
function rangeIn(line, from, to) {
  const range = new Range();
  const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  let at = 0;
  let started = false;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const next = at + node.length;
    if (!started && from < next) {
      range.setStart(node, from - at);
      started = true;
    }
    if (started && to <= next) {
      range.setEnd(node, to - at);
      break;
    }
    at = next;
  }
  return range;
}
