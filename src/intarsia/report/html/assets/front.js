// Every chip that was looked at: what it takes against its value. Two that are picked are compared in a table.

const AXES = { area: ["area of the die", "mm²"], watts: ["peak power", "W"], dollars: ["cost of making", "USD"] };
const RADIUS = 5;

function drawFront(figure, result) {
  const state = (figure.state ||= { axis: "area", picked: [] });
  const several = Object.keys(result.search.sizes).length > 1;
  // Of several numbers of devices one was chosen: what counts is what all of them take.
  const whole = (one) => (several ? Object.fromEntries(Object.keys(AXES).map((axis) => [axis, one[axis] === null ? null : one[axis] * one.devices])) : {});
  const named = (one) => (several ? { name: `${one.devices} of ${one.name}`, fields: { devices: `${one.devices}`, ...one.fields } } : {});
  const points = (figure.points ||= result.looked.filter((one) => one.value !== null || one.bound !== null).map((one) => ({ ...one, ...whole(one), ...named(one) })));
  const axes = Object.keys(AXES).filter((axis) => points.every((one) => one[axis] !== null));
  const shown = (one) => (one.value !== null ? one.value : one.bound);
  const width = figure.clientWidth;
  const [height, left, top] = [340, 64, 12];
  const bottom = height - 40;
  const spread = (values) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const margin = (most - least || most * 0.02) * 0.06;
    return [Math.max(0, least - margin), most + margin];
  };
  const [near, far] = spread(points.map((one) => one[state.axis]));
  const [low, high] = spread(points.map(shown));
  const x = linear(near, far, left + 4, width - 12);
  const y = linear(low, high, bottom, top);
  const [title, unit] = [several ? `${AXES[state.axis][0]}, all devices` : AXES[state.axis][0], AXES[state.axis][1]];
  const chart = canvas(width, height, `${points.length} chips by ${title} and ${result.search.objective}`);
  xAxis(chart, x, near, far, top, bottom, [1, unit], width / 140);
  yAxis(chart, y, low, high, left, width - 12, valueUnit(high, result), 5);
  chart.append(text(width - 12, bottom + 34, `${title}, ${unit}`, { class: "soft", "text-anchor": "end" }));
  const front = points.filter((one) => one.front.includes(state.axis)).sort((a, b) => a[state.axis] - b[state.axis]);
  const path = front.map((one, index) => `${index ? `H${x(one[state.axis])}V` : `M${x(one[state.axis])} `}${y(one.value)}`).join("");
  chart.append(svg("path", { d: path, fill: "none", stroke: "var(--c1)", "stroke-width": 1.5 }));
  const order = [...points].sort((a, b) => a[state.axis] - b[state.axis]);
  const marks = order.map((one) => {
    const [cx, cy] = [x(one[state.axis]), y(shown(one))];
    const known = one.value !== null;
    const classes = ["point", one.chosen && "chosen", state.picked.includes(one) && "picked"].filter(Boolean).join(" ");
    const look = { class: classes, role: "button", "aria-pressed": state.picked.includes(one) };
    const mark = known
      ? svg("circle", { ...look, cx, cy, r: one.chosen ? RADIUS + 2 : RADIUS, fill: one.chosen ? "var(--c2)" : "var(--c1)", "fill-opacity": one.front.includes(state.axis) || one.chosen ? 1 : 0.45 })
      : svg("path", { ...look, d: `M${cx - 4} ${cy + 3}h8l-4 -7z`, fill: "var(--paper)", stroke: "var(--c6)", "stroke-opacity": 0.7 });
    const said = known ? valueText(one.value, result) : `${boundText(one.bound, result)}; left there`;
    told(mark, `${one.name}\n${said}\n${axesText(one, axes)}`);
    mark.addEventListener("click", () => pick(figure, result, one));
    mark.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      pick(figure, result, one);
    });
    return mark;
  });
  chart.append(...marks.filter((mark) => mark.tagName === "path"), ...marks.filter((mark) => mark.tagName === "circle"));
  reachable(marks);
  const tools = axes.map((axis) => {
    const button = html("button", { type: "button", "aria-pressed": axis === state.axis }, AXES[axis][0]);
    button.addEventListener("click", () => {
      state.axis = axis;
      redraw(figure);
    });
    return button;
  });
  figure.prepend(
    html("div", { class: "tools" }, ...(axes.length > 1 ? tools : [])),
    legend([["the best chip", "var(--c2)"], [`evaluated; on the line: the ${result.search.front && state.axis.startsWith(result.search.front) ? "proved front" : "front of these"}`, "var(--c1)"], ["triangle: left at its bound", "var(--c6)"]]),
    chart,
    compared(state.picked, axes, result),
  );
}

function axesText(one, axes) {
  return axes.map((axis) => `${digits(one[axis])} ${AXES[axis][1]}`).join(", ");
}

function pick(figure, result, one) {
  const { picked } = figure.state;
  figure.state.picked = picked.includes(one) ? picked.filter((other) => other !== one) : [...picked, one].slice(-2);
  const label = document.activeElement?.getAttribute("aria-label");
  redraw(figure);
  hideTip();
  [...figure.querySelectorAll(".point")].find((mark) => mark.getAttribute("aria-label") === label)?.focus({ preventScroll: true });
}

function compared(picked, axes, result) {
  if (!picked.length) return html("p", { class: "hint", "aria-live": "polite" }, "Pick two chips to compare them here.");
  const rows = [
    ["value", ...picked.map((one) => (one.value === null ? boundText(one.bound, result) : valueText(one.value, result)))],
    ...axes.map((axis) => [AXES[axis][0], ...picked.map((one) => `${digits(one[axis])} ${AXES[axis][1]}`)]),
    ...Object.keys(picked[0].fields).map((field) => [field.replaceAll("_", " "), ...picked.map((one) => one.fields[field])]),
  ];
  const body = rows.map(([name, ...values]) => {
    const differs = values.length === 2 && values[0] !== values[1];
    return html("tr", differs ? { class: "differs" } : {}, html("th", { scope: "row" }, name), ...values.map((value) => html("td", { class: "number" }, value)));
  });
  const heads = picked.map((one, index) => html("th", { scope: "col", class: "number" }, `chip ${"AB"[index]}${one.chosen ? " (the best)" : ""}`));
  const table = html("table", { class: "comparison" }, html("caption", {}, picked.length === 2 ? "What differs is bold." : "Pick a second chip."),
    html("thead", {}, html("tr", {}, html("td"), ...heads)), html("tbody", {}, ...body));
  return html("div", { class: "scroll", "aria-live": "polite" }, table);
}
