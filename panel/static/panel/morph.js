/* An htmx swap style that changes only what differs, so that focus, selection, open details and hover survive a refresh.
   Children are matched by id first, else by position and kind. */
"use strict";
(() => {
  const kept = new Set(["open"]); // what the reader opened stays open

  const sameKind = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");

  function morphAttributes(from, to) {
    for (const { name, value } of [...to.attributes]) {
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && !kept.has(name)) from.removeAttribute(name);
    }
  }

  function morphNode(from, to) {
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    morphAttributes(from, to);
    morphChildren(from, to);
  }

  function morphChildren(from, to) {
    let next = from.firstChild;
    for (const wanted of [...to.childNodes]) {
      const named = wanted.id ? [...from.children].find((child) => child.id === wanted.id) : null;
      if (named && named !== next) from.insertBefore(named, next);
      const match = named || (next && sameKind(next, wanted) ? next : null);
      if (match) {
        morphNode(match, wanted);
        next = match.nextSibling;
      } else {
        from.insertBefore(wanted, next);
      }
    }
    while (next) {
      const gone = next;
      next = next.nextSibling;
      gone.remove();
    }
  }

  htmx.defineExtension("morph", {
    isInlineSwap: (style) => style === "morph",
    handleSwap(style, target, fragment) {
      if (style !== "morph") return false;
      target.dispatchEvent(new CustomEvent("panel:incoming", { detail: { fragment } }));
      morphChildren(target, fragment);
      return [target];
    },
  });
})();
