// The log on the page of a run: follows what comes, finds in what is loaded, loads what is before, wraps, pauses.
// Without this module the server's part is there: the end of the log, the parts before it, lines that hold a text.

import { follow } from "./logfollow.js";
import { LogFinder } from "./logfind.js";
import { Look, lineOf } from "./logtext.js";

const MOST_LINES = 5000; // in the document: what is more is taken out again, and had by "Earlier"
const NEAR = 40; // px from the bottom that still count as being there

const encoder = new TextEncoder();
const bytes = (text) => encoder.encode(text).length;
const said = document.getElementById("log-said");
const keys = {}; // what a key does while a log has the focus
let finder = null;
const views = [...document.querySelectorAll(".log-view")].map((element) => new LogView(element));

function say(text) {
  if (said) said.textContent = text;
}

function LogView(element) {
  const box = element.querySelector(".log");
  const pre = box.querySelector("pre");
  const where = element.querySelector(".log-where");
  const links = element.querySelector(".log-links");
  let start = Number(element.dataset.start);
  let end = Number(element.dataset.end);
  let open = ""; // the last line, while its end is to come
  let openLine = null;
  let before = new Look();
  let look = new Look();
  let stop = null;
  let openAt = end; // where that line begins
  const places = new WeakMap(); // of lines that came: where each begins

  const atBottom = () => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
  const toBottom = () => { box.scrollTop = box.scrollHeight; };

  function copyLook(from) {
    const copy = new Look();
    copy.flags = new Set(from.flags);
    copy.ink = from.ink;
    copy.ground = from.ground;
    return copy;
  }

  function newLine() {
    const line = document.createElement("span");
    line.className = "l";
    return line;
  }

  function append({ end: to, text }) {
    if (to <= end) return; // told again after a reconnect
    const stick = atBottom();
    const batch = document.createDocumentFragment();
    const parts = (open + text).split("\n");
    if (openLine) {
      openLine.remove();
      look = copyLook(before);
    }
    openLine = null;
    open = parts.pop();
    let at = openAt;
    const exact = openAt + bytes(parts.join("\n")) + (parts.length ? 1 : 0) + bytes(open) === to; // no hole, all UTF-8
    for (const part of parts) {
      const line = newLine();
      line.append(lineOf(part, look), "\n");
      batch.append(line);
      if (exact || at === openAt) places.set(line, at);
      at += bytes(part) + 1;
    }
    openAt = exact ? at : to - bytes(open);
    if (open) {
      before = copyLook(look);
      openLine = newLine();
      openLine.append(lineOf(open, look));
      batch.append(openLine);
      places.set(openLine, openAt);
      if (open.length > 65536) {
        openAt += bytes(open.slice(0, -4096)); // a line that never ends
        open = open.slice(-4096);
      }
    }
    pre.append(batch);
    end = to;
    trim();
    tellWhere();
    if (stick) toBottom();
    finder?.changed();
  }

  /** Takes lines out at the top when there are too many. */
  function trim() {
    let surplus = pre.childElementCount - MOST_LINES;
    if (surplus <= 0) return;
    // As far as a line whose place is known: what is before it can be had whole.
    while (surplus-- > 0 || (pre.childElementCount > 1 && !places.has(pre.firstElementChild))) pre.firstElementChild.remove();
    start = places.get(pre.firstElementChild) ?? end;
    earlierLink();
  }

  function earlierLink() {
    let link = links.querySelector(".log-earlier");
    if (!link) {
      link = document.createElement("a");
      link.className = "log-earlier";
      link.textContent = "Earlier";
      links.prepend(link);
    }
    const address = new URL(location.href);
    const stream = new URL(element.dataset.follow, location.href).searchParams.get("stream");
    address.search = new URLSearchParams({ stream, until: String(start) }).toString();
    address.hash = "log";
    link.href = address.href;
  }

  const size = (length) => {
    let amount = length;
    for (const unit of ["B", "KiB", "MiB"]) {
      if (amount < 1024) return `${unit === "B" ? amount : amount.toFixed(1)} ${unit}`;
      amount /= 1024;
    }
    return `${amount.toFixed(1)} GiB`;
  };

  function tellWhere() {
    where.textContent = start === 0 ? `all of it, ${size(end)}` : `the last ${size(end - start)} of ${size(end)}`;
  }

  async function loadEarlier(event) {
    const link = event.target.closest(".log-earlier");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (pre.childElementCount > MOST_LINES * 2) return; // enough for one document: go there instead
    event.preventDefault();
    link.setAttribute("aria-disabled", "true");
    try {
      const answer = await fetch(link.href, { headers: { accept: "text/html" }, cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const other = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".log-view");
      const lines = [...other.querySelectorAll("pre > .l")];
      const height = box.scrollHeight - box.scrollTop;
      pre.prepend(...lines.map((line) => document.importNode(line, true)));
      box.scrollTop = box.scrollHeight - height;
      start = Number(other.dataset.start);
      places.set(pre.firstElementChild, start);
      if (start > 0) earlierLink();
      else links.querySelector(".log-earlier")?.remove();
      where.textContent = `${size(start)} to ${size(end)}`;
      if (start === 0) tellWhere();
      say(`${lines.length} earlier lines were loaded`);
      finder?.changed();
    } catch {
      location.assign(link.href);
    }
  }

  links.addEventListener("click", loadEarlier);

  Object.assign(this, {
    box,
    follows: () => element.dataset.state === "follow",
    start(onState) {
      if (stop || !this.follows()) return;
      stop = follow(element.dataset.follow, end, {
        onText: append,
        onState,
        onEnd: (run) => {
          element.dataset.state = "over";
          stop = null;
          onState("over");
          say(`The run has ended: ${run.state}`);
        },
      });
    },
    pause() {
      stop?.();
      stop = null;
    },
    toBottom,
  });
  // The end is what is looked for; not where a link led to a place.
  if (!new URLSearchParams(location.search).has("from") && !new URLSearchParams(location.search).has("at")) toBottom();
}

const tools = document.querySelector(".log-tools");
const input = document.getElementById("log-find");
const boxes = [...document.querySelectorAll(".log")];
if (boxes.length && input) finder = new LogFinder(boxes, input); // in lines that were found it shows where

function button(text, title, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.title = title;
  made.addEventListener("click", act);
  return made;
}

if (tools && views.length) {
  const bar = document.createElement("div");
  bar.className = "log-bar";
  const count = document.createElement("span");
  count.className = "log-count quiet";
  count.setAttribute("role", "status");
  const previous = button("Previous", "The match before (Shift+Enter, or N in the log)", () => finder.step(-1));
  const next = button("Next", "The next match (Enter, or n in the log)", () => finder.step(1));
  finder.onChange = (place, all, more) => {
    for (const each of [previous, next]) each.disabled = !all;
    count.textContent = input.value === "" ? "" : all ? `${place} of ${all}${more ? " or more" : ""}` : "not in what is loaded";
  };
  finder.onChange(0, 0, false);
  const wrap = button("Wrap", "Break long lines (w in the log)", () => setWrap(!wrapped));
  let wrapped = false;
  const setWrap = (on) => {
    wrapped = on;
    wrap.setAttribute("aria-pressed", String(on));
    for (const view of views) view.box.classList.toggle("wrap", on);
    try { localStorage.setItem("log-wrap", on ? "1" : ""); } catch { /* it is not kept then */ }
  };
  bar.append(previous, next, count, wrap);

  if (views.some((view) => view.follows())) {
    let following = true;
    const pause = button("Pause", "Stop and go on following (f in the log)", () => setFollowing(!following));
    const show = (state) => {
      pause.textContent = state === "paused" ? "Go on" : state === "reconnecting" ? "Reconnecting" : "Pause";
      if (views.every((view) => !view.follows())) {
        pause.textContent = "Ended";
        pause.disabled = true;
      }
    };
    const setFollowing = (on) => {
      following = on;
      for (const view of views) {
        if (on) {
          view.toBottom();
          view.start(show);
        } else view.pause();
      }
      show(on ? "following" : "paused");
    };
    bar.append(pause);
    setFollowing(true);
    keys.f = () => setFollowing(!following);
  }
  tools.append(bar);
  let kept = "";
  try { kept = localStorage.getItem("log-wrap"); } catch { /* nothing is kept */ }
  setWrap(kept === "1" || (kept === null && innerWidth < 640));
  keys.w = () => setWrap(!wrapped);
  keys.n = () => finder.step(1);
  keys.N = () => finder.step(-1);
}

input?.addEventListener("keydown", (event) => {
  // Enter goes from match to match; where nothing that is loaded matches, the form asks the server for all of the log.
  if (event.key === "Enter" && views.length && finder?.count) {
    event.preventDefault();
    finder.step(event.shiftKey ? -1 : 1);
  }
});

for (const view of views) {
  view.box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    } else if (event.key === "/") {
      event.preventDefault();
      event.stopPropagation();
      input?.focus();
    }
  });
}

// A run that waited and started since: its log has a place only on the page as it is now.
document.addEventListener("page:updated", () => {
  if (!document.querySelector(".log-view") && document.querySelector(".run-title .s-running")) location.reload();
});
