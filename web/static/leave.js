"use strict";
// Continues once every frame has loaded, or after five seconds.
const link = document.getElementById("op-continue");
let continued = false;
const continueOnce = () => {
  if (!continued) {
    continued = true;
    if (link) location.replace(link.href);
  }
};
addEventListener("load", continueOnce);
setTimeout(continueOnce, 5000);
