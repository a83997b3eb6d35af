/* A security key that was not used after all: the page says so, where allauth's script would only tell the console. */
"use strict";
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const problem = document.getElementById("key-problem");
  problem.hidden = false;
  problem.textContent = "The key was not used: it was not touched in time, it is none that fits, or the browser knows no keys. Try again.";
});
