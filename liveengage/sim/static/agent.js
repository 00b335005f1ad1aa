// Keeps the agent's pages up to date. A reply that is being typed stays.
const interval = 2000;

async function update() {
  const response = await fetch(location.href);
  if (!response.ok) { return; }
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("live");
  const live = document.getElementById("live");
  const reply = live.querySelector("[data-keep] input");
  if (reply && (reply.value || document.activeElement === reply)) {
    for (const id of ["lines", "name", "type"]) {
      document.getElementById(id).replaceWith(fresh.querySelector("#" + id));
    }
  } else {
    live.replaceWith(fresh);
  }
}

setInterval(async () => {
  try {
    await update();
  } catch {
    // The simulator has stopped. Keep trying: it may start again.
  }
}, interval);
