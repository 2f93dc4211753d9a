// Scales and axes.

function linear(low, high, from, to) {
  const span = high - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

function ticks(low, high, most) {
  const rough = (high - low || 1) / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough * 0.999);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) found.push(at * step || 0);
  return found;
}

// Texts of ticks in one unit, with as many decimals as their step needs.
function tickTexts(values, unit) {
  const [divisor, name] = unit;
  const step = values.length > 1 ? (values[1] - values[0]) / divisor : 1;
  const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  return values.map((value) => `${(value / divisor).toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })}${name ? ` ${name}` : ""}`);
}

function secondsUnit(most) {
  return [[1, "s"], [1e-3, "ms"], [1e-6, "µs"]].find(([size]) => most >= size) || [1e-9, "ns"];
}

function xAxis(chart, scale, low, high, top, bottom, unit, most) {
  const values = ticks(low, high, most);
  tickTexts(values, unit).forEach((said, index) => {
    const x = Math.round(scale(values[index]));
    chart.append(svg("line", { class: "grid", x1: x, x2: x, y1: top, y2: bottom }));
    const anchor = x < 16 ? "start" : x > chart.width.baseVal.value - 24 ? "end" : "middle";
    chart.append(text(x, bottom + 16, said, { class: "soft", "text-anchor": anchor }));
  });
}

function yAxis(chart, scale, low, high, left, right, unit, most) {
  const values = ticks(low, high, most);
  tickTexts(values, unit).forEach((said, index) => {
    const y = Math.round(scale(values[index]));
    chart.append(svg("line", { class: "grid", x1: left, x2: right, y1: y, y2: y }));
    chart.append(text(left - 6, y + 4, said, { class: "soft", "text-anchor": "end" }));
  });
}
