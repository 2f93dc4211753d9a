// A model that answers: its replicas on the devices, and a round of one of them.

const MOST_REPLICAS = 256;

// Each replica is a box: a column for each stage, a cell for each device that shares its weights.
function drawDeployment(figure, result, served) {
  const { tensor, pipeline, expert, data } = served.best;
  const width = figure.clientWidth;
  const shown = Math.min(data, MOST_REPLICAS);
  const cell = Math.max(3, Math.min(22, Math.floor(Math.sqrt((width * 200) / (shown * tensor * pipeline))), Math.floor((width - 12) / pipeline)));
  const [boxWidth, boxHeight] = [pipeline * cell + 8, tensor * cell + 8];
  const columns = Math.max(1, Math.min(shown, Math.floor((width + 6) / (boxWidth + 6))));
  const rows = Math.ceil(shown / columns);
  const note = data > shown || served.idle ? 22 : 0;
  const chart = canvas(width, rows * (boxHeight + 6) + note, `${data} replicas of ${pipeline} stages and ${tensor} devices a stage`);
  const marks = Array.from({ length: shown }, (_, index) => {
    const [x, y] = [(index % columns) * (boxWidth + 6), Math.floor(index / columns) * (boxHeight + 6)];
    const group = svg("g", { role: "img" }, svg("rect", { class: "bar", x, y, width: boxWidth, height: boxHeight, rx: 3, fill: "none", stroke: "var(--muted)" }));
    for (let stage = 0; stage < pipeline; stage += 1) {
      for (let rank = 0; rank < tensor; rank += 1) {
        group.append(svg("rect", { class: "bar", x: x + 4 + stage * cell, y: y + 4 + rank * cell, width: cell - 1, height: cell - 1, fill: colour(stage) }));
      }
    }
    chart.append(group);
    const first = index - (index % expert);
    const experts = expert > 1 ? `\nshares experts with replicas ${first} to ${first + expert - 1}` : "";
    const cut = pipeline > 1 ? `${pipeline} stages of ${tensor} ${tensor > 1 ? "devices" : "device"}` : `${tensor} ${tensor > 1 ? "devices" : "device"}`;
    return told(group, `replica ${index}\n${cut}${experts}`);
  });
  reachable(marks);
  const said = [data > shown ? `and ${countText(data - shown)} replicas more` : "", served.idle ? `${countText(served.idle)} devices idle` : ""].filter(Boolean).join("; ");
  if (said) chart.append(text(0, rows * (boxHeight + 6) + 14, said, { class: "soft" }));
  const stages = Array.from({ length: Math.min(pipeline, 7) }, (_, stage) => [pipeline > 7 ? `stages ${stage}, ${stage + 7}, …` : `stage ${stage}`, colour(stage)]);
  figure.prepend(legend(pipeline > 1 ? stages : [["a device", colour(0)]]), chart);
}

function drawRound(figure, result, served) {
  const kinds = Object.keys(Object.values(served.round)[0]);
  const lines = Object.entries(served.round).map(([name, of]) => [name, kinds.map((kind) => of[kind])]);
  figure.prepend(...stacked(figure, lines, kinds, secondsText, null, "Seconds of a round by steps and prompts"));
}
