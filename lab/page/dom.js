/* Elements, and a display that changes only where it differs: nothing flickers, scrolls back or loses its focus. */

const SVG = "http://www.w3.org/2000/svg";

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const h = (name, attributes = {}, ...children) => build(document.createElement(name), attributes, children);
export const s = (name, attributes = {}, ...children) => build(document.createElementNS(SVG, name), attributes, children);
export const by = (id) => document.getElementById(id);

const sameKind = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName;

function change(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  for (const { name, value } of [...to.attributes]) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  changeChildren(from, [...to.childNodes]);
}

function changeChildren(parent, wanted) {
  let next = parent.firstChild;
  for (const node of wanted) {
    if (next && sameKind(next, node)) {
      const following = next.nextSibling;
      change(next, node);
      next = following;
    } else {
      parent.insertBefore(node, next);
    }
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

/* For what is only shown: elements with listeners of their own are built once and set by their module. */
export function show(parent, ...nodes) {
  changeChildren(parent, nodes.flat(Infinity).filter((node) => node !== null && node !== undefined && node !== false)
    .map((node) => (node instanceof Node ? node : document.createTextNode(node))));
}
