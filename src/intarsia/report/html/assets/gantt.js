// A timeline: lines of bars over seconds, with a window that buttons, the arrow keys and dragging move.

const KINDS = {
  forward: "var(--c1)", backward: "var(--c2)", again: "var(--c4)", weights: "var(--c7)",
  synchronise: "var(--c3)", optimizer: "var(--c5)", hidden: "var(--grid)",
};
const KIND_TEXTS = { again: "computed again", hidden: "not shown one by one" };

function drawGantt(figure, result, gantt) {
  const state = (figure.state ||= { from: 0, to: gantt.end });
  const width = figure.clientWidth;
  const beside = gantt.lines.every((line) => line.length * 7 < width * 0.16);
  const dense = gantt.lines.length > 16;
  const [row, label] = [dense ? 14 : 24, beside ? 0 : 16];
  const left = beside ? Math.max(...gantt.lines.map((line) => line.length)) * 6.6 + 8 : 0;
  const height = gantt.lines.length * (row + label + 4) + 30;
  const x = linear(state.from, state.to, left, width - 1);
  const chart = canvas(width, height, `${gantt.title}: ${gantt.bars.length} bars over ${secondsText(gantt.end)}`);
  const bottom = height - 26;
  xAxis(chart, x, state.from, state.to, 0, bottom, secondsUnit(state.to), width / 110);
  const clip = `clip-${figure.dataset.chart}-${figure.dataset.model}`;
  chart.append(svg("clipPath", { id: clip }, svg("rect", { x: left, y: 0, width: width - left, height })));
  const inside = svg("g", { "clip-path": `url(#${clip})` });
  gantt.lines.forEach((line, index) => {
    const y = index * (row + label + 4);
    chart.append(text(0, y + (beside ? row / 2 + 4 : 12), line, { class: "soft" }));
  });
  const marks = gantt.bars.filter((bar) => bar.finish > state.from && bar.start < state.to).map((bar) => {
    const from = Math.max(x(bar.start), left - 2);
    const to = Math.min(x(bar.finish), width + 2);
    const y = bar.line * (row + label + 4) + label;
    const mark = svg("g", { role: "img" });
    mark.append(svg("rect", { class: "bar", x: from, y, width: Math.max(to - from - (to - from > 3 ? 0.8 : 0), 0.5), height: row, rx: 1.5, fill: KINDS[bar.kind] || "var(--c6)" }));
    const short = bar.name.split("/").at(-1).replace(/, microbatch /, " ");
    if (!dense && to - from > short.length * 6.4 + 6) mark.append(text(from + 4, y + 16, short, { class: bar.kind === "hidden" ? "soft" : "inside" }));
    inside.append(mark);
    return told(mark, `${bar.name}\n${secondsText(bar.start)} to ${secondsText(bar.finish)}: ${secondsText(bar.finish - bar.start)}`);
  });
  reachable(marks);
  chart.append(inside);
  drag(chart, figure, gantt, (state.to - state.from) / (width - left));
  const kinds = [...new Set(gantt.bars.map((bar) => bar.kind))];
  figure.prepend(legend(kinds.map((kind) => [KIND_TEXTS[kind] || kind, KINDS[kind] || "var(--c6)"])), tools(figure, gantt), chart);
}

function tools(figure, gantt) {
  const { from, to } = figure.state;
  const middle = (from + to) / 2;
  const half = (to - from) / 2;
  const button = (said, name, [start, end], unless) => {
    const made = html("button", { type: "button", "aria-label": name, title: name }, said);
    made.disabled = unless;
    made.addEventListener("click", () => {
      move(figure, gantt, start, end);
      [...figure.querySelectorAll(".tools button")].find((one) => one.title === name)?.focus();
    });
    return made;
  };
  return html("div", { class: "tools" },
    button("+", "zoom in", [middle - half / 2, middle + half / 2], false),
    button("−", "zoom out", [middle - half * 2, middle + half * 2], to - from >= gantt.end),
    button("←", "earlier", [from - half, to - half], from <= 0),
    button("→", "later", [from + half, to + half], to >= gantt.end),
    button("all", "show all", [0, gantt.end], to - from >= gantt.end),
    html("span", { class: "note" }, `${secondsText(from)} to ${secondsText(to)}`),
  );
}

function move(figure, gantt, from, to) {
  const length = Math.min(to - from, gantt.end);
  const start = Math.min(Math.max(from, 0), gantt.end - length);
  Object.assign(figure.state, { from: start, to: start + length });
  redraw(figure);
}

function drag(chart, figure, gantt, secondsPerPixel) {
  let begun = null;
  chart.style.touchAction = "pan-y";
  chart.addEventListener("pointerdown", (event) => {
    begun = [event.clientX, figure.state.from, figure.state.to];
  });
  chart.addEventListener("pointerup", (event) => {
    if (begun && Math.abs(event.clientX - begun[0]) > 4) {
      const moved = (event.clientX - begun[0]) * secondsPerPixel;
      move(figure, gantt, begun[1] - moved, begun[2] - moved);
    }
    begun = null;
  });
}
