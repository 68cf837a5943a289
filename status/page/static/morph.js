// Makes one tree of elements equal to another by changing as little as possible: what stays keeps its focus, its scroll
// position, its selection; details stay as the reader left them. Children are matched by `data-key` or id, then by place.

const key = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id || "" : "");
const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && key(one) === key(other);

/** `kept` becomes as `fresh` is. Elements marked `data-keep` belong to a module of the page and stay as they are. */
export function morph(kept, fresh) {
  const focused = document.activeElement;
  children(kept, fresh);
  attributes(kept, fresh);
  if (focused && focused !== document.body && !focused.isConnected) refocus(kept, focused);
}

function one(kept, fresh) {
  if (kept.nodeType !== Node.ELEMENT_NODE) {
    if (kept.nodeValue !== fresh.nodeValue && !selected(kept)) kept.nodeValue = fresh.nodeValue;
    return;
  }
  if (kept.hasAttribute("data-keep") || kept.isEqualNode(fresh)) return;
  attributes(kept, fresh);
  children(kept, fresh);
}

function attributes(kept, fresh) {
  for (const { name, value } of [...fresh.attributes]) {
    if (kept.getAttribute(name) !== value && !theirs(kept, name)) kept.setAttribute(name, value);
  }
  for (const { name } of [...kept.attributes]) {
    if (!fresh.hasAttribute(name) && !theirs(kept, name)) kept.removeAttribute(name);
  }
}

/** What the reader did, and no new page takes back. */
function theirs(element, name) {
  return (name === "open" && element.nodeName === "DETAILS") || (name === "value" && element === document.activeElement);
}

function children(kept, fresh) {
  const keyed = new Map();
  for (const child of kept.childNodes) if (key(child)) keyed.set(key(child), child);
  let place = kept.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    let found = key(wanted) ? keyed.get(key(wanted)) : place;
    if (!key(wanted)) while (found && key(found)) found = found.nextSibling;
    if (found && alike(found, wanted)) {
      if (found === place) place = place.nextSibling;
      else kept.insertBefore(found, place);
      one(found, wanted);
    } else {
      const added = document.importNode(wanted, true);
      if (key(added) && keyed.size) added.classList.add("changed");
      kept.insertBefore(added, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function selected(node) {
  const selection = document.getSelection();
  return selection !== null && !selection.isCollapsed && selection.containsNode(node, true);
}

/** The focused element is gone: to the one that took its place, else to the page's content, never to nowhere. */
function refocus(region, gone) {
  const address = gone.getAttribute("href");
  const heir = address && region.querySelector(`a[href="${CSS.escape(address)}"]`);
  (heir || document.getElementById("main")).focus({ preventScroll: true });
}
