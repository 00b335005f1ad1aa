"use strict";
// Shows the copy buttons. Without scripts, one click selects a value.
const status = document.createElement("p");
status.className = "hidden";
status.setAttribute("role", "status");
document.body.append(status);
for (const button of document.querySelectorAll("button.copy")) {
  const value = button.parentElement.querySelector(".value");
  const label = button.textContent;
  let reset;
  const report = (word) => {
    button.textContent = status.textContent = word;
    clearTimeout(reset);
    reset = setTimeout(() => { button.textContent = label; status.textContent = ""; }, 2000);
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(value.textContent);
      report("Copied");
    } catch {
      getSelection().selectAllChildren(value);
      report("Selected");
    }
  });
}
