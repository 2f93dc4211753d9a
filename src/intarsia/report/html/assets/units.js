// Numbers as a reader likes them; the same rules as intarsia.ground.units.

function digits(value) {
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });
}

function scaled(value, names) {
  let at = 0;
  while (at < names.length - 1 && Math.abs(value) >= 999.5) {
    value /= 1000;
    at += 1;
  }
  return `${digits(value)} ${names[at]}`;
}

function secondsText(value) {
  if (value === null) return "–";
  if (value === 0) return "0 s";
  if (value >= 120) return `${Math.floor(value / 60)} min ${Math.floor(value % 60)} s`;
  return value >= 1 ? `${digits(value)} s` : scaled(value * 1e9, ["ns", "µs", "ms", "s"]);
}

function bytesText(value) {
  return scaled(value, ["B", "kB", "MB", "GB", "TB", "PB"]);
}

function wattsText(value) {
  return `${value.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} W`;
}

function countText(value) {
  return Math.round(value).toLocaleString("en");
}

function rateText(value) {
  return value >= 100 ? countText(value) : digits(value);
}

function percentText(part) {
  return `${(100 * part).toFixed(1)} %`;
}

function changeText(times) {
  const change = 100 * (times - 1);
  return `${change > 0 ? "+" : change < 0 ? "−" : ""}${Math.abs(change).toFixed(1)} %`;
}

// The search's value: seconds where its unit is that, a number otherwise.
function valueText(value, of) {
  if (value === null) return "–";
  return of.search.unit === "s" ? secondsText(value) : `${digits(value)} ${of.search.unit}`.trim();
}

// What a chip cannot be better than.
function boundText(value, of) {
  return `at ${of.search.most ? "most" : "least"} ${valueText(value, of)}`;
}

function valueUnit(most, of) {
  return of.search.unit === "s" ? secondsUnit(most) : [1, ""];
}
