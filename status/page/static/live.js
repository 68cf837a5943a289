// Keeps a page up to date: the stream of events says that something changed, the page is asked for again, and regions
// marked `data-live="<id>"` take over what is new in it. Without this module the page is as it was when it was loaded.

import { morph } from "./morph.js";
import { relative, span } from "./words.js";

const body = document.body;
const button = document.getElementById("live");
const announcer = document.getElementById("announce");

const GATHER = 300; // ms in which events are gathered before the page is asked for
const JITTER = 700; // ms, by chance: many viewers do not ask at once
const SHARE = 4; // after an answer it rests this many times as long as the answer took
const LEAST_REST = 1200; // ms
const FIRST_RETRY = 2000; // ms; doubled while nobody answers
const MOST_RETRY = 30000;

let skew = Date.now() - Number(body.dataset.now); // the server's clock counts
let newest = Number(body.dataset.event); // the last event this page knows of
let source = null;
let paused = false;
let pending = 0; // timer of the next look
let retry = 0; // timer of the next try to connect
let patience = FIRST_RETRY;
let restUntil = 0;
let asking = null;
let stale = false; // something came while the page was being asked for
let missed = false; // the connection broke: what has no id is not told again

function show(state) {
  button.hidden = false;
  if (button.dataset.state !== state) {
    button.dataset.state = state;
    button.textContent = state;
  }
}

function connect() {
  clearTimeout(retry);
  if (source || paused || document.hidden) return;
  source = new EventSource("/api/v1/events" + (newest > 0 ? `?after=${newest}` : ""));
  source.onopen = () => {
    patience = FIRST_RETRY;
    show("live");
    if (missed) soon();
    missed = false;
  };
  source.addEventListener("source", () => soon());
  source.onmessage = (event) => {
    newest = Math.max(newest, Number(event.lastEventId) || 0);
    show("live");
    soon();
  };
  source.onerror = () => {
    show("reconnecting");
    missed = true;
    if (source && source.readyState === EventSource.CLOSED) later(); // else the browser tries again by itself
  };
}

function later() {
  disconnect();
  retry = setTimeout(() => {
    connect();
    soon();
  }, patience * (0.75 + Math.random() / 2));
  patience = Math.min(patience * 2, MOST_RETRY);
}

function disconnect() {
  clearTimeout(retry);
  if (source) source.close();
  source = null;
}

function soon(wait = GATHER + Math.random() * JITTER) {
  if (paused || document.hidden) return;
  if (asking) {
    stale = true;
    return;
  }
  if (pending) return;
  pending = setTimeout(() => look(), Math.max(wait, restUntil - performance.now()));
}

async function look(whatever = false) {
  clearTimeout(pending);
  pending = 0;
  if (asking && whatever) asking.abort();
  else if (paused || document.hidden || asking) return;
  const began = performance.now();
  const mine = new AbortController();
  asking = mine;
  stale = false;
  try {
    const answer = await fetch(location.href, {
      headers: { accept: "text/html" },
      cache: "no-store",
      signal: mine.signal,
    });
    const text = await answer.text();
    if (asking !== mine) return;
    if (answer.ok) take(text);
    else if (answer.status >= 500) show("reconnecting");
  } catch (error) {
    if (error.name !== "AbortError") show("reconnecting");
  } finally {
    if (asking !== mine) return; // another took its place
    asking = null;
    const took = performance.now() - began;
    restUntil = performance.now() + Math.max(LEAST_REST, SHARE * took);
    if (stale || behind()) soon();
    else rest();
  }
}

/** Whether the page says less than the events: the server's picture of the jobs comes a little after them. */
const behind = () => "behind" in body.dataset;

let resting = 0;

/** Looks again after a while without an event: what a run uses, and what is late, changes without one. */
function rest() {
  clearTimeout(resting);
  const seconds = Number(body.dataset.refresh) || 60;
  resting = setTimeout(() => soon(0), seconds * 1000);
}

function take(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  if (!fresh.body.dataset.now) return; // not one of our pages: an error in between
  const module = (page) => page.querySelector("script[type=module]")?.getAttribute("src");
  if (module(fresh) !== module(document)) {
    location.reload(); // another version of jobsctl answers
    return;
  }
  skew = Date.now() - Number(fresh.body.dataset.now);
  newest = Math.max(newest, Number(fresh.body.dataset.event) || 0);
  for (const name of ["now", "event", "refresh", "behind"]) {
    if (fresh.body.dataset[name] === undefined) delete body.dataset[name];
    else body.dataset[name] = fresh.body.dataset[name];
  }
  const said = announcements();
  for (const region of document.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${CSS.escape(region.dataset.live)}"]`);
    if (other) morph(region, other);
  }
  if (document.title !== fresh.title) document.title = fresh.title;
  const now = announcements();
  if (now && now !== said) announcer.textContent = now;
  tick();
  document.dispatchEvent(new CustomEvent("page:updated"));
}

const announcements = () =>
  [...document.querySelectorAll("[data-announce]")].map((each) => each.textContent.trim()).join(". ");

/** Keeps the words of instants true between two looks. */
function tick() {
  const now = Date.now() - skew;
  for (const each of document.querySelectorAll("time[data-relative], time[data-elapsed], time[data-due]")) {
    const at = Date.parse(each.dateTime);
    const words =
      "elapsed" in each.dataset
        ? span(Math.max(now - at, 0) / 1000)
        : relative("due" in each.dataset ? Math.max(at, now) : at, now);
    if (each.firstChild && each.firstChild.nodeValue !== words) each.firstChild.nodeValue = words;
  }
}

function pause() {
  disconnect();
  clearTimeout(pending);
  clearTimeout(resting);
  pending = 0;
  if (asking) asking.abort();
}

function resume() {
  connect();
  soon(0);
}

button.addEventListener("click", () => {
  paused = !paused;
  if (paused) {
    pause();
    show("paused");
  } else {
    show("reconnecting");
    resume();
  }
});

document.addEventListener("visibilitychange", () => {
  if (paused) return;
  if (document.hidden) pause();
  else resume();
});

// A module of a page has changed the address, and wants what is there: also while paused.
document.addEventListener("page:look", () => look(true));

addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => {
  if (event.persisted && !paused) resume();
});

setInterval(() => document.hidden || tick(), 1000);
show("reconnecting");
connect();
if (behind()) soon();
else rest();

// `/` goes to the search, Escape leaves it: as everywhere.
document.addEventListener("keydown", (event) => {
  const target = event.target;
  const typing = target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    const field = document.querySelector("main input[type=search]") || document.getElementById("find");
    field.focus();
    field.select();
  } else if (event.key === "Escape" && target instanceof HTMLInputElement && target.type === "search") {
    target.blur();
  }
});
