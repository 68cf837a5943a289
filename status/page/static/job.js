// The pages of a job and of a run: a click on a mark of a drawing opens that run, and commands get a button to copy them.
// Without this module everything is still there: runs are links in the history, commands are text.

document.addEventListener("click", (event) => {
  const mark = event.target.closest?.("[data-run]");
  if (mark) location.assign(`/runs/${encodeURIComponent(mark.getAttribute("data-run"))}`);
});

function addCopyButtons() {
  if (!navigator.clipboard) return; // plain HTTP from another machine: browsers do not offer it there
  for (const command of document.querySelectorAll("code.command")) {
    if (command.nextElementSibling?.classList.contains("copy")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "copy";
    button.setAttribute("aria-label", `Copy ${command.textContent}`);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(command.textContent);
        button.textContent = "copied";
      } catch {
        button.textContent = "select and copy it";
      }
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
    command.after(button);
  }
}

addCopyButtons();
document.addEventListener("page:updated", addCopyButtons);
