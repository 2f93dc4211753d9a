// Elements, and the one tip that tells of what the pointer or the focus is on.

function html(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function canvas(width, height, label) {
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label });
}

function text(x, y, said, attributes = {}) {
  return svg("text", { x, y, ...attributes }, said);
}

function colour(number) {
  return `var(--c${1 + (number % 7)})`;
}

function legend(entries) {
  const items = entries.map(([name, fill]) => html("li", {}, html("i", { style: `background:${fill}` }), name));
  return html("ul", { class: "legend" }, ...items);
}

const tip = html("div", { class: "tip", role: "status", hidden: "" });

function showTip(said, target) {
  tip.textContent = said;
  tip.hidden = false;
  const box = target.getBoundingClientRect();
  const left = Math.min(box.left + box.width / 2 - tip.offsetWidth / 2, document.documentElement.clientWidth - tip.offsetWidth - 8);
  const above = box.top - tip.offsetHeight - 8;
  tip.style.left = `${Math.max(left, 8) + window.scrollX}px`;
  tip.style.top = `${(above > 0 ? above : box.bottom + 8) + window.scrollY}px`;
}

function hideTip() {
  tip.hidden = true;
}

// Tells of an element on hover and on focus; what is told is its accessible name too.
function told(element, said) {
  element.setAttribute("aria-label", said.replaceAll("\n", ", "));
  element.addEventListener("pointerenter", () => showTip(said, element));
  element.addEventListener("pointerleave", hideTip);
  element.addEventListener("focus", () => showTip(said, element));
  element.addEventListener("blur", hideTip);
  return element;
}

// One stop of the tab key for many marks: arrow keys go from one to the next.
function reachable(marks) {
  marks.forEach((mark, index) => {
    mark.setAttribute("tabindex", index ? "-1" : "0");
    mark.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const next = step && marks[index + step];
      if (!next) return;
      event.preventDefault();
      mark.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  });
}
