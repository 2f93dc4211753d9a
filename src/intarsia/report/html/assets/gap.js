// The best so far and the bound over the seconds of the search, and the gap between them.

function drawGap(figure, result) {
  const moments = result.history;
  const width = figure.clientWidth;
  const [height, left, top] = [260, 64, 16];
  const bottom = height - 24;
  const known = moments.flatMap((one) => [one.best, one.bound]).filter((value) => value !== null);
  const end = moments.at(-1).seconds;
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const margin = (most - least || most * 0.02) * 0.08;
  const [low, high] = [Math.max(0, least - margin), most + margin];
  const x = linear(0, end, left, width - 12);
  const y = linear(low, high, bottom, top);
  const chart = canvas(width, height, `Best and bound over ${secondsText(end)} of search`);
  xAxis(chart, x, 0, end, top, bottom, secondsUnit(end), width / 110);
  yAxis(chart, y, low, high, left, width - 12, valueUnit(high, result), 5);
  const steps = (field) => {
    const points = moments.filter((one) => one[field] !== null).map((one) => [x(one.seconds), y(one[field])]);
    if (!points.length) return "";
    const path = points.map(([px, py], index) => (index ? `H${px}V${py}` : `M${px} ${py}`)).join("");
    return `${path}H${x(end)}`;
  };
  chart.append(svg("path", { d: steps("bound"), fill: "none", stroke: "var(--c3)", "stroke-width": 2 }));
  chart.append(svg("path", { d: steps("best"), fill: "none", stroke: "var(--c1)", "stroke-width": 2 }));
  const marks = moments.map((one, index) => {
    const from = x(one.seconds);
    const to = index + 1 < moments.length ? x(moments[index + 1].seconds) : width - 12;
    const mark = svg("rect", { x: from, y: top, width: Math.max(to - from, 1), height: bottom - top, fill: "transparent", role: "img" });
    const gap = one.best === null || one.bound === null ? "" : `\ngap ${percentText(result.search.most ? 1 - one.best / one.bound : 1 - one.bound / one.best)}`;
    const said = `after ${secondsText(one.seconds)}\nbest ${valueText(one.best, result)}\nbound ${valueText(one.bound, result)}${gap}\n${countText(one.looked)} chips looked at, ${countText(one.left)} left`;
    chart.append(mark);
    return told(mark, said);
  });
  reachable(marks);
  figure.prepend(legend([["best so far", "var(--c1)"], ["bound", "var(--c3)"]]), chart);
}
