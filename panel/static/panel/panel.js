/* Clocks, local times, dialogs, and the honesty about a lost connection. Pages work without it: it only makes them quicker. */
"use strict";
(() => {
  const POLL = 5000; // milliseconds between reads while live updates are away
  const POLL_LIVE = 15000; // and while they are there: age and expiry change without any event
  const TOO_OLD = 25000; // a page that could not be read anew for this long says so
  const page = document.getElementById("page");
  const dialog = document.getElementById("dialog");
  const keys = document.getElementById("keys");
  const lost = document.getElementById("lost");

  /* ---- times ---- */

  const two = (n) => String(n).padStart(2, "0");
  let clockOffset = 0; // server's clock minus ours, milliseconds

  function duration(seconds) {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
    return `${Math.floor(s / 86400)} d`;
  }

  function coarse(seconds) {
    const s = Math.max(0, Math.floor(seconds));
    return s >= 60 && s < 3600 ? `${Math.floor(s / 60)} min` : duration(s);
  }

  function localText(at) {
    const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    const now = new Date(Date.now() + clockOffset);
    if (at.toDateString() === now.toDateString()) return clock;
    const year = at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`;
    return `${at.toLocaleDateString(undefined, { day: "numeric", month: "short" })}${year} ${clock}`;
  }

  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function tellTimes(root) {
    const now = Date.now() + clockOffset;
    for (const element of root.querySelectorAll("time[data-local]")) setText(element, localText(new Date(element.dateTime)));
    for (const element of root.querySelectorAll("text[data-at]")) {
      const at = new Date(Number(element.dataset.at) * 1000);
      const seconds = "seconds" in element.dataset ? `:${two(at.getSeconds())}` : "";
      const day = "day" in element.dataset ? `${at.getDate()} ${at.toLocaleString("en-GB", { month: "short" })} ` : "";
      setText(element, `${day}${two(at.getHours())}:${two(at.getMinutes())}${seconds}`);
    }
    for (const element of root.querySelectorAll("time[data-clock]")) {
      const seconds = (now - Date.parse(element.dateTime)) / 1000;
      setText(element, (element.dataset.clock === "coarse" ? coarse : duration)(seconds));
    }
  }

  function readClock(root) {
    const stamp = root.querySelector("[data-now]");
    if (stamp) clockOffset = Number(stamp.dataset.now) * 1000 - Date.now();
  }

  /* ---- the live page ---- */

  let live = false;
  let failed = false;
  let readAt = Date.now();
  let askedAt = Date.now();

  const refresh = () => {
    if (!page) return;
    askedAt = Date.now();
    htmx.trigger(page, "panel:refresh");
  };

  function showConnection() {
    const gone = failed || Date.now() - readAt > TOO_OLD;
    lost.hidden = !gone;
    document.documentElement.classList.toggle("is-lost", gone);
    if (gone) setText(lost.querySelector("span"), localText(new Date(readAt + clockOffset)));
  }

  function everySecond() {
    tellTimes(document);
    if (!page || document.hidden) return;
    if (Date.now() - askedAt >= (live && !failed ? POLL_LIVE : POLL)) refresh();
    showConnection();
  }

  function watchPage() {
    page.addEventListener("panel:incoming", (event) => {
      readClock(event.detail.fragment);
      tellTimes(event.detail.fragment);
    });
    page.addEventListener("htmx:afterRequest", (event) => {
      if (event.target !== page) return;
      failed = !event.detail.successful;
      if (!failed) readAt = Date.now();
      showConnection();
    });
    // What is read anew is what the address says, also after a filter has changed it.
    page.addEventListener("htmx:configRequest", (event) => {
      if (event.target === page) event.detail.path = location.pathname + location.search;
    });
    document.addEventListener("htmx:sseOpen", () => { live = true; refresh(); });
    document.addEventListener("htmx:sseError", () => { live = false; });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
    window.addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
  }

  /* ---- dialogs: a link marked data-dialog opens its own page inside a dialog ---- */

  async function openDialog(link) {
    try {
      await htmx.ajax("GET", link.href, { target: "#dialog-body", swap: "innerHTML" });
    } catch {
      location.assign(link.href);
      return;
    }
    if (!dialog.querySelector("form")) location.assign(link.href);
    else if (!dialog.open) dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
  }

  function sayInDialog(text) {
    const problem = dialog.querySelector("[data-problem]");
    if (!problem) return;
    problem.hidden = false;
    setText(problem, text);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      openDialog(link);
    }
    if (event.target.closest("[data-close]") && dialog.open) {
      event.preventDefault();
      dialog.close();
    }
    if (event.target.closest("[data-keys]")) keys.showModal();
    if (event.target.closest("[data-print]")) print();
  });
  dialog.addEventListener("htmx:afterSwap", () => {
    tellTimes(dialog);
    dialog.querySelector("[aria-invalid]")?.focus();
  });
  dialog.addEventListener("htmx:sendError", () => sayInDialog("The panel can't be reached, so it is not known whether this arrived. Look at the page before you try again."));
  dialog.addEventListener("htmx:timeout", () => sayInDialog("The panel did not answer in time, so it is not known whether this arrived. Look at the page before you try again."));
  dialog.addEventListener("htmx:responseError", (event) => sayInDialog(`The panel answered ${event.detail.xhr.status} and did not accept this. Reload the page and try again.`));
  document.addEventListener("panel:done", (event) => {
    dialog.close();
    if (page) refresh();
    else location.assign(event.detail.value || location.href);
  });

  /* ---- filters: the list follows while one types, and the address keeps them ---- */

  let settling = 0;

  function sift(form) {
    const asked = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    history.replaceState(null, "", asked.size ? `?${asked}` : location.pathname);
    refresh();
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-filters]");
    if (!form) return;
    clearTimeout(settling);
    settling = setTimeout(() => sift(form), event.target.matches("select") ? 0 : 250);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-filters]") || !page) return;
    event.preventDefault();
    sift(event.target);
  });

  /* ---- weights: slider and numbers say the same, and 0/0 can't be sent ---- */

  document.addEventListener("input", (event) => {
    const weights = event.target.closest("[data-weights]");
    if (!weights) return;
    const [lambda, ecs, slider] = ["lambda", "ecs", "share"].map((name) => weights.querySelector(`[data-weight="${name}"]`));
    if (event.target === slider) {
      ecs.value = slider.value;
      lambda.value = 100 - Number(slider.value);
    } else {
      const sum = Number(lambda.value) + Number(ecs.value);
      if (sum > 0) slider.value = Math.round((100 * Number(ecs.value)) / sum);
    }
    const none = Number(lambda.value) + Number(ecs.value) === 0;
    lambda.setCustomValidity(none ? "At least one pool needs some weight, or nobody is answered." : "");
    const share = Number(slider.value);
    setText(weights.querySelector("[data-share]"), none ? "0/0 would answer nobody" : `${100 - share} % Lambda, ${share} % ECS`);
    clearTimeout(settling);
    if (!none) settling = setTimeout(() => showPlan(weights, lambda.value, ecs.value), 300);
  });

  /* The plan for the weights as typed. The button stays what it is: an old plan is refused by its digest. */
  async function showPlan(weights, lambda, ecs) {
    const address = `${weights.dataset.weights}?weight_lambda=${encodeURIComponent(lambda)}&weight_ecs=${encodeURIComponent(ecs)}`;
    const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok) return;
    const shown = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["plan", "override"]) {
      const [here, there] = [weights.closest("form").querySelector(`#${id}`), shown.getElementById(id)];
      if (here && there) here.replaceChildren(...there.childNodes);
    }
  }

  /* ---- keys ---- */

  const places = {
    f: "/", o: "/operations/", d: "/drills/", e: "/events/", r: "/refusals/", a: "/audit/", s: "/settings/",
  };
  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, textarea, select")) return;
    if (event.key === "?" && keys) keys.showModal();
    const search = event.key === "/" ? document.querySelector("[data-search]") : null;
    if (search) {
      event.preventDefault();
      search.select();
    }
    if (Date.now() - going < 1500 && places[event.key]) location.assign(places[event.key]);
    going = event.key === "g" ? Date.now() : 0;
  });

  document.querySelector('form[data-focus] input:not([type="hidden"], [readonly])')?.focus();
  readClock(document);
  if (page) watchPage();
  everySecond();
  setInterval(everySecond, 1000);
})();
