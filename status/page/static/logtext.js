// What a run writes while its page is open, as elements: text nodes only, so nothing in it can become markup.
// The same rules as status/page/logtext.py, which makes what is there when the page is loaded: keep them alike.

export const LONGEST = 4000;
// eslint-disable-next-line no-control-regex
const SEQUENCE = /\x1b\[([0-9;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]/g;
// eslint-disable-next-line no-control-regex
const ODD = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;
const FLAGS = { 1: "b", 2: "dim", 3: "i", 4: "u", 7: "inv", 9: "del" };
const OFF = { 22: ["b", "dim"], 23: ["i"], 24: ["u"], 27: ["inv"], 29: ["del"] };

function picture(character) {
  const code = character.codePointAt(0);
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "\u2421" : `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
}

/** Colours and weight as they stand: they go on into the next line. */
export class Look {
  flags = new Set();
  ink = null;
  ground = null;

  get classes() {
    return [...[...this.flags].sort(), this.ink, this.ground].filter(Boolean).join(" ");
  }

  select(parameters) {
    const numbers = parameters.slice(0, 200).split(/[;:]/).map((each) => (/^\d+$/.test(each) ? Number(each) : 0));
    while (numbers.length) {
      const number = numbers.shift();
      if (number === 0) [this.flags, this.ink, this.ground] = [new Set(), null, null];
      else if (number in FLAGS) this.flags.add(FLAGS[number]);
      else if (number in OFF) for (const flag of OFF[number]) this.flags.delete(flag);
      else if (number === 38 || number === 48) {
        const colour = extended(numbers);
        if (number === 38) this.ink = colour && `c${colour}`;
        else this.ground = colour && `g${colour}`;
      } else if ((number >= 30 && number <= 37) || (number >= 90 && number <= 97)) {
        this.ink = `c${number < 90 ? number - 30 : number - 82}`;
      } else if ((number >= 40 && number <= 47) || (number >= 100 && number <= 107)) {
        this.ground = `g${number < 100 ? number - 40 : number - 92}`;
      } else if (number === 39) this.ink = null;
      else if (number === 49) this.ground = null;
    }
  }
}

function extended(numbers) {
  const kind = numbers.shift() ?? 0;
  let rgb;
  if (kind === 5) {
    let place = numbers.shift() ?? 0;
    if (place < 16) return String(place);
    if (place >= 232) return place < 248 ? "8" : "7";
    place -= 16;
    rgb = [Math.floor(place / 36) * 51, (Math.floor(place / 6) % 6) * 51, (place % 6) * 51];
  } else if (kind === 2) {
    rgb = [...numbers.splice(0, 3), 0, 0, 0].slice(0, 3);
  } else return null;
  const top = Math.max(...rgb);
  const bits = rgb.reduce((sum, value, place) => sum + (value >= 0.6 * Math.max(top, 1) && top > 60 ? 1 << place : 0), 0);
  return String(bits + (top > 200 && bits !== 0 && bits !== 7 ? 8 : 0));
}

/** One line, without its line feed, as the inside of an element. */
export function lineOf(line, look) {
  if (line.endsWith("\r")) line = line.slice(0, -1);
  if (line.includes("\r")) line = line.split("\r").filter(Boolean).pop() ?? "";
  const characters = line.length > LONGEST ? [...line] : null;
  const more = characters ? characters.length - LONGEST : 0;
  if (more > 0) line = characters.slice(0, LONGEST).join("");
  const inside = document.createDocumentFragment();
  let at = 0;
  for (const found of line.matchAll(SEQUENCE)) {
    dress(inside, line.slice(at, found.index), look);
    if (found[1] !== undefined) look.select(found[1]);
    at = found.index + found[0].length;
  }
  dress(inside, line.slice(at), look);
  if (more > 0) inside.append(odd(`[${more.toLocaleString("en")} more characters]`));
  return inside;
}

function dress(inside, text, look) {
  if (!text) return;
  const classes = look.classes;
  let place = inside;
  if (classes) {
    place = document.createElement("span");
    place.className = classes;
    inside.append(place);
  }
  let at = 0;
  for (const found of text.matchAll(ODD)) {
    place.append(text.slice(at, found.index), odd(picture(found[0])));
    at = found.index + found[0].length;
  }
  place.append(text.slice(at));
}

function odd(text) {
  const element = document.createElement("span");
  element.className = "odd";
  element.textContent = text;
  return element;
}
