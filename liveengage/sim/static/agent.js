// Shows what is new without a click. What is being typed stays.
setInterval(async () => {
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) { return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    const live = document.getElementById("live");
    const typed = live.querySelector("[data-keep] input");
    if (typed && (typed.value || document.activeElement === typed)) {
      for (const id of ["lines", "name", "type"]) { document.getElementById(id).replaceWith(fresh.querySelector("#" + id)); }
    } else {
      live.replaceWith(fresh);
    }
  } catch {
    // The simulator has stopped; the next answer may come from a new one.
  }
}, 2000);
