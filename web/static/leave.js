"use strict";
// Goes on when every frame has loaded, and after five seconds in any case.
const next = document.getElementById("op-continue");
let gone = false;
const go = () => {
  if (!gone) {
    gone = true;
    if (next) location.replace(next.href);
  }
};
addEventListener("load", go);
setTimeout(go, 5000);
