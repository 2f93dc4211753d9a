// Horizontal bars: memory of each stage, parts of an iteration, operators, neighbours, other chips.

// One stacked bar for each line, with a mark where a limit is.
function stacked(figure, lines, kinds, format, limit, label) {
  const width = figure.clientWidth;
  const row = lines.length > 16 ? 14 : 26;
  const left = lines.length > 1 ? 60 : 0;
  const most = Math.max(limit ? limit[1] : 0, ...lines.map(([, values]) => values.reduce((sum, one) => sum + one, 0)));
  const x = linear(0, most, left, width - 2);
  const top = limit ? 18 : 0;
  const chart = canvas(width, top + lines.length * (row + 4) + 4, label);
  const marks = lines.flatMap(([name, values], index) => {
    const y = top + index * (row + 4);
    const whole = values.reduce((sum, one) => sum + one, 0);
    if (left) chart.append(text(0, y + row / 2 + 4, name, { class: "soft" }));
    let at = 0;
    return values.map((value, kind) => {
      const [from, to] = [x(at), x(at + value)];
      at += value;
      const mark = svg("g", { role: "img" }, svg("rect", { class: "bar", x: from, y, width: Math.max(to - from - 0.8, 0), height: row, fill: colour(kind) }));
      const said = kinds[kind];
      if (row > 20 && to - from > said.length * 7 + 10) mark.append(text(from + 5, y + 17, said, { class: "inside" }));
      chart.append(mark);
      return told(mark, `${left ? `${name}: ` : ""}${said}\n${format(value)}, ${percentText(whole ? value / whole : 0)}`);
    });
  });
  reachable(marks);
  if (limit) {
    const at = x(limit[1]);
    chart.append(svg("line", { x1: at, x2: at, y1: top - 4, y2: top + lines.length * (row + 4), stroke: "var(--ink)", "stroke-width": 1.5, "stroke-dasharray": "4 3" }));
    chart.append(text(at, 11, `${limit[0]} ${format(limit[1])}`, { "text-anchor": "end" }));
  }
  return [legend(kinds.map((kind, index) => [kind, colour(index)])), chart];
}

function drawMemory(figure, result, model) {
  const { stages, capacity } = model.memory;
  const kinds = Object.keys(stages[0]).filter((kind) => stages.some((one) => one[kind]));
  const lines = stages.map((one, index) => [`stage ${index}`, kinds.map((kind) => one[kind])]);
  figure.prepend(...stacked(figure, lines, kinds, bytesText, ["capacity", capacity], `Bytes of one device of each of ${stages.length} stages against ${bytesText(capacity)}`));
}

function drawTime(figure, result, model) {
  const { parts, operators } = model.time;
  const kinds = Object.keys(parts);
  const whole = stacked(figure, [["iteration", kinds.map((kind) => parts[kind])]], kinds, secondsText, null, `Parts of ${secondsText(model.plan.seconds)}`);
  const width = figure.clientWidth;
  const row = 36;
  const chart = canvas(width, operators.length * row, `${operators.length} operators that take the most seconds`);
  const x = linear(0, operators[0].seconds, 0, width - 2);
  const marks = operators.map((one, index) => {
    const y = index * row;
    const mark = svg("g", { role: "img" }, svg("rect", { class: "bar", x: 0, y: y + 18, width: x(one.seconds), height: 10, fill: colour(["tensor", "vector", "network"].indexOf(one.kind)) }));
    chart.append(text(0, y + 13, one.name), text(width - 2, y + 13, width > 520 ? `${secondsText(one.seconds)}, ${one.binds}` : secondsText(one.seconds), { class: "soft", "text-anchor": "end" }), mark);
    return told(mark, `${one.name}\n${secondsText(one.seconds)}, ${percentText(one.share)} of all operators\nbound by ${one.binds}`);
  });
  reachable(marks);
  const used = ["tensor", "vector", "network"].map((kind, index) => [`${kind} ${kind === "network" ? "" : "cores"}`, colour(index)]);
  figure.prepend(...whole, html("h3", {}, "Operators, each alone on all its cores"), legend(used), chart);
}

// Watts of a device in the mean and at most, by part.
function drawEnergy(figure, result, model) {
  const { watts, peaks, mean_watts: mean, peak_watts: peak } = model.plan.energy;
  const kinds = Object.keys(watts);
  const lines = [["mean", watts], ["at most", peaks]].map(([name, of]) => [name, kinds.map((kind) => of[kind])]);
  figure.prepend(...stacked(figure, lines, kinds, wattsText, null, `Watts of a device by part: ${wattsText(mean)} in the mean, ${wattsText(peak)} at most`));
}

// What one step of each resource changes: seconds, the less the better, or tokens a second, the more the better.
function drawSensitivity(figure, result, model) {
  const serves = Boolean(result.served);
  const better = (change) => (serves ? change >= 0 : change <= 0);
  const reached = (one) => (serves ? `${rateText(one.tokens)} tokens a second` : secondsText(one.seconds));
  const names = [...new Set(model.neighbours.map((one) => one.resource))];
  const rows = names.map((name) => [name, model.neighbours.filter((one) => one.resource === name)]);
  const width = figure.clientWidth;
  const [left, right] = [138, 66];
  const known = model.neighbours.filter((one) => one.times !== null).map((one) => one.times - 1);
  const [low, high] = [Math.min(-0.01, ...known), Math.max(0.01, ...known)];
  const x = linear(low, high, left, width - right);
  const height = rows.reduce((sum, [, of]) => sum + 22 + of.length * 17, 0) + 4;
  const chart = canvas(width, height, `Change of ${serves ? "tokens a second" : "an iteration's seconds"} for one step of each resource`);
  let y = 0;
  const marks = rows.flatMap(([name, of]) => {
    chart.append(text(0, y + 14, name, { class: "strong" }));
    y += 20;
    const made = of.map((one) => {
      const mark = svg("g", { role: "img" });
      const change = one.times === null ? 0 : one.times - 1;
      const [from, to] = [Math.min(x(0), x(change)), Math.max(x(0), x(change))];
      const fill = better(change) ? "var(--good)" : "var(--bad)";
      const over = one.within === false;
      mark.append(svg("rect", { class: "bar", x: from, y: y + 1, width: to - from, height: 12, fill: over ? "none" : fill, stroke: over ? fill : "none" }));
      const said = one.times === null ? "nothing fits" : `${changeText(one.times)}${over ? " *" : ""}`;
      const right = change >= 0;
      mark.append(text(right ? to + 5 : from - 5, y + 11, said, { "text-anchor": right ? "start" : "end" }));
      chart.append(text(0, y + 11, one.after, { class: "soft" }), mark);
      y += 17;
      const area = one.area === null ? "" : `\ndie ${digits(one.area)} mm²${over ? ", over the budget" : ""}`;
      return told(mark, `${name}: ${one.before} → ${one.after}\n${one.times === null ? one.because : `${reached(one)}, ${changeText(one.times)}`}${area}`);
    });
    y += 2;
    return made;
  });
  chart.append(svg("line", { class: "zero", x1: x(0), x2: x(0), y1: 0, y2: height }));
  reachable(marks);
  const entries = [[serves ? "more" : "faster", "var(--good)"], [serves ? "fewer" : "slower", "var(--bad)"]];
  figure.prepend(legend(entries), chart);
}

// This study's chip and others: how much each does in a second, from least to most, and what is said of it.
function rated(result, model) {
  if (result.served) {
    const ours = { ...model.best, interval: model.interval, chip: result.chip.name, times: 1, deployment: "the deployment above" };
    return [ours, ...model.baselines].map((one) => {
      const pace = [one.ttft && `first token ${secondsText(one.ttft)}`, one.tpot && `${secondsText(one.tpot)} between tokens`].filter(Boolean);
      const tip = one.tokens && `${rateText(one.tokens)} tokens a second (${one.interval.map(rateText).join(" to ")})\n${one.times.toFixed(2)}× this study's chip\n${pace.join(", ")}\n${one.deployment}`;
      return { chip: one.chip, because: one.because, rate: one.tokens, spread: one.interval, said: one.tokens && `${rateText(one.tokens)} tokens a second`, tip };
    });
  }
  const { seconds, samples, interval } = model.plan;
  const ours = { chip: result.chip.name, samples, seconds, interval, times: 1, plan: "the plan above" };
  const batch = result.study.global_batch;
  return [ours, ...model.baselines].map((one) => {
    const tip = one.samples && `${secondsText(one.seconds)} an iteration (${secondsText(one.interval[0])} to ${secondsText(one.interval[1])})\n${one.times.toFixed(2)}× the seconds of this study's chip\n${one.plan}`;
    const spread = one.interval && one.interval.map((value) => batch / value).reverse();
    return { chip: one.chip, because: one.because, rate: one.samples, spread, said: one.samples && `${rateText(one.samples)} a second, ${secondsText(one.seconds)}`, tip };
  });
}

function drawBaselines(figure, result, model) {
  const every = rated(result, model);
  const width = figure.clientWidth;
  const most = Math.max(...every.filter((one) => one.rate).map((one) => one.spread[1]));
  const x = linear(0, most, 0, width - 2);
  const row = 46;
  const chart = canvas(width, every.length * row + 4, `Throughput of each chip under its own best ${result.served ? "deployment" : "plan"}`);
  const marks = every.map((one, index) => {
    const y = index * row;
    const mark = svg("g", { role: "img" });
    chart.append(text(0, y + 14, index ? one.chip : "this study's chip", { class: index ? "" : "strong" }));
    if (one.rate === null) {
      chart.append(text(0, y + 32, one.because, { class: "soft" }));
      return null;
    }
    chart.append(text(width - 2, y + 14, one.said, { class: "soft", "text-anchor": "end" }));
    const [low, high] = one.spread.map(x);
    mark.append(svg("rect", { class: "bar", x: 0, y: y + 20, width: x(one.rate), height: 16, fill: index ? "var(--c6)" : "var(--c2)" }));
    mark.append(svg("path", { d: `M${low} ${y + 28}H${high}M${low} ${y + 24}v8M${high} ${y + 24}v8`, stroke: "var(--ink)", fill: "none" }));
    chart.append(mark);
    return told(mark, `${one.chip}\n${one.tip}`);
  });
  reachable(marks.filter(Boolean));
  figure.prepend(legend([["this study's chip", "var(--c2)"], ["other chips", "var(--c6)"], ["line: nine measurements in ten", "var(--ink)"]]), chart);
}
