// The die to scale: each part's rectangle has its share of the area, and so has each of its equal cells.

// Rectangles of given areas that fill a rectangle, as square as can be (Bruls, Huizing, van Wijk, 2000).
function squarified(areas, x, y, width, height) {
  const found = [];
  let rest = [...areas];
  while (rest.length) {
    const side = Math.min(width, height);
    const worst = (row) => {
      const thickness = row.reduce((sum, one) => sum + one, 0) / side;
      return Math.max(...row.map((one) => Math.max((thickness * thickness) / one, one / (thickness * thickness))));
    };
    let count = 1;
    while (count < rest.length && worst(rest.slice(0, count + 1)) <= worst(rest.slice(0, count))) count += 1;
    const row = rest.slice(0, count);
    const thickness = row.reduce((sum, one) => sum + one, 0) / side;
    let along = 0;
    for (const area of row) {
      const length = area / thickness;
      found.push(width >= height ? [x, y + along, thickness, length] : [x + along, y, length, thickness]);
      along += length;
    }
    if (width >= height) [x, width] = [x + thickness, width - thickness];
    else [y, height] = [y + thickness, height - thickness];
    rest = rest.slice(count);
  }
  return found;
}

// Columns and rows of equal cells, as square as the number allows.
function cells(count, width, height) {
  let best = [count, 1];
  for (let rows = 1; rows <= count; rows += 1) {
    if (count % rows) continue;
    const shape = (columns, lines) => Math.abs(Math.log((width / columns) / (height / lines)));
    if (shape(count / rows, rows) < shape(...best)) best = [count / rows, rows];
  }
  return best;
}

function drawChip(figure, result) {
  const { parts, area, budget, name } = result.chip;
  const onDie = parts.filter((part) => part.area > 0).sort((a, b) => b.area - a.area);
  const width = Math.min(figure.clientWidth, 440);
  const whole = Math.sqrt(Math.max(area, budget || 0));
  const scale = (width - 2) / whole;
  const side = Math.sqrt(area) * scale;
  const chart = canvas(width, width + 34, `The die of ${name} to scale, ${area.toFixed(1)} mm²`);
  if (budget) {
    const edge = Math.sqrt(budget) * scale;
    chart.append(svg("rect", { x: 1, y: 1, width: edge, height: edge, fill: "none", stroke: "var(--muted)", "stroke-dasharray": "4 4" }));
  }
  const boxes = squarified(onDie.map((part) => part.area * scale * scale), 1, 1, side, side);
  const marks = onDie.map((part, index) => {
    const [x, y, w, h] = boxes[index];
    const group = svg("g", { role: "img" });
    group.append(svg("rect", { class: "bar", x, y, width: w, height: h, fill: colour(index), stroke: "var(--paper)", "stroke-width": 1.5 }));
    const [columns, rows] = cells(part.count, w, h);
    if (part.count > 1 && w / columns >= 3 && h / rows >= 3) group.append(grid(x, y, w, h, columns, rows));
    const said = partText(part);
    if (w > said.length * 7.6 + 12 && h > 40) {
      group.append(svg("rect", { x: x + 4, y: y + 4, width: said.length * 7.6 + 8, height: 36, rx: 2, fill: colour(index), "pointer-events": "none" }));
      group.append(text(x + 9, y + 18, said, { class: "inside strong" }), text(x + 9, y + 34, `${digits(part.area)} mm²`, { class: "inside" }));
    }
    chart.append(group);
    return told(group, `${said} ${part.detail}\n${digits(part.area)} mm², ${percentText(part.area / area)} of the die`);
  });
  reachable(marks);
  const bar = whole > 20 ? 5 : whole > 4 ? 1 : 0.2;
  chart.append(svg("path", { class: "zero", d: `M1 ${width + 8}v6h${bar * scale}v-6` }), text(bar * scale + 8, width + 18, `${bar} mm`, { class: "soft" }));
  if (budget) chart.append(text(width - 1, width + 18, `dashed: the budget, ${digits(budget)} mm²`, { class: "soft", "text-anchor": "end" }));
  figure.prepend(legend(onDie.map((part, index) => [`${partText(part)}, ${digits(part.area)} mm²`, colour(index)])), chart);
}

function partText(part) {
  return part.count > 1 ? `${countText(part.count)} ${part.name}s` : part.name;
}

function grid(x, y, width, height, columns, rows) {
  let path = "";
  for (let column = 1; column < columns; column += 1) path += `M${x + (width * column) / columns} ${y}v${height}`;
  for (let row = 1; row < rows; row += 1) path += `M${x} ${y + (height * row) / rows}h${width}`;
  return svg("path", { d: path, stroke: "var(--paper)", "stroke-width": 0.6, fill: "none", "pointer-events": "none" });
}
