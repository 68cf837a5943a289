// The list follows what is typed and chosen; without this module the button does.

const form = document.getElementById("filters");
let waiting = 0;

function apply() {
  clearTimeout(waiting);
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value.trim()) query.set(name, value.trim());
  const text = query.toString();
  history.replaceState(null, "", text ? `/jobs?${text}` : "/jobs");
  document.dispatchEvent(new CustomEvent("page:look"));
}

form.addEventListener("input", (event) => {
  clearTimeout(waiting);
  waiting = setTimeout(apply, event.target.tagName === "SELECT" ? 0 : 180);
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  apply();
});
