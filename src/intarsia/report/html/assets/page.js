// Every figure that names a chart is drawn from the result, and again when its width changes.

const result = JSON.parse(document.getElementById("result").textContent);
const CHARTS = {
  chip: drawChip,
  gap: drawGap,
  front: drawFront,
  schedule: (figure, of, model) => drawGantt(figure, of, model.schedule),
  pipeline: (figure, of, model) => drawGantt(figure, of, model.pipeline),
  memory: drawMemory,
  time: drawTime,
  energy: drawEnergy,
  sensitivity: drawSensitivity,
  baselines: drawBaselines,
  deployment: drawDeployment,
  round: drawRound,
};

function redraw(figure) {
  if (!figure.clientWidth) return; // not laid out now
  const kept = [...figure.children].filter((child) => child.matches("figcaption, details"));
  figure.replaceChildren(...kept);
  CHARTS[figure.dataset.chart](figure, result, result.served ?? result.models[Number(figure.dataset.model)]);
}

function redrawAll() {
  hideTip();
  document.querySelectorAll("figure[data-chart]").forEach(redraw);
}

document.body.append(tip);
redrawAll();

let drawnAt = document.documentElement.clientWidth;
window.addEventListener("resize", () => {
  if (document.documentElement.clientWidth === drawnAt) return;
  drawnAt = document.documentElement.clientWidth;
  redrawAll();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTip();
});

// On paper nothing can be opened.
const opened = [];
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("details:not([open])").forEach((one) => {
    one.open = true;
    opened.push(one);
  });
});
window.addEventListener("afterprint", () => opened.splice(0).forEach((one) => (one.open = false)));
