// One framework's answer: its map, its probabilities, its facts and warnings.

import { bars, drawMap, drawTiles, el, legend, numbers, signed } from "./paint.js";

function readout(map, picture, probe) {
  const at = probe.y * map.width + probe.x;
  const value = (map.decoded ?? numbers(map))[at];
  const side = value > 0 ? "for" : value < 0 ? "against" : "neither way";
  return `Row ${probe.y + 1}, column ${probe.x + 1}: ${signed(value)} (${side})`;
}

// A map that can be read cell by cell, with the pointer or with the arrow keys.
function mapFigure(panel, picture, limit, paint) {
  const { map } = panel;
  const canvas = el("canvas", { class: "dlx-canvas dlx-map", role: "img", tabindex: 0, "aria-label": panel.alt });
  const words = el("p", { class: "dlx-readout", role: "status", text: "Point at a cell, or use the arrow keys, to read its value." });
  let probe = null;
  const draw = () => drawMap(canvas, map, limit, picture, paint, probe);
  const show = (x, y) => {
    probe = { x: Math.min(Math.max(x, 0), map.width - 1), y: Math.min(Math.max(y, 0), map.height - 1) };
    words.textContent = readout(map, picture, probe);
    draw();
  };
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    show(Math.floor((event.clientX - box.left) / box.width * map.width), Math.floor((event.clientY - box.top) / box.height * map.height));
  });
  canvas.addEventListener("pointerleave", () => { probe = null; draw(); });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const from = probe ?? { x: Math.floor(map.width / 2) - step[0], y: Math.floor(map.height / 2) - step[1] };
    show(from.x + step[0], from.y + step[1]);
  });
  draw();
  return el("figure", { class: "dlx-figure" }, canvas, legend(limit, paint), words);
}

function tileFigure(tiles, alt, paint) {
  const canvas = el("canvas", { class: "dlx-canvas dlx-tiles", role: "img", "aria-label": alt });
  drawTiles(canvas, tiles, paint);
  const note = el("p", { class: "dlx-readout", text: tiles.note });
  return el("figure", { class: "dlx-figure" }, canvas, legend(tiles.limit, paint, ["", ""], !tiles.signed), note);
}

function barFigure({ rows, limit }, alt) {
  const list = bars(rows, { limit, signedBars: true, format: signed, label: alt });
  return el("figure", { class: "dlx-figure" }, list);
}

export function predictionBars(predictions, framework) {
  const rows = predictions.rows.map(({ name, value, top, target }) => ({ name, value, strong: top, note: target ? "◂" : "" }));
  const options = predictions.share
    ? { limit: 1, format: (v) => `${(100 * v).toFixed(v > 0.995 || v < 0.0005 ? 0 : 1)} %`, label: `Class shares by ${framework}` }
    : { limit: predictions.limit, signedBars: true, format: signed, label: `Outputs of ${framework}` };
  const box = el("div", { class: "dlx-predictions" }, el("h4", { text: rows.some(({ note }) => note) ? `${predictions.heading} (◂ explained)` : predictions.heading }), bars(rows, options));
  return box;
}

export function drawPanel(panel, picture, limit, paint) {
  const heading = el("h3", {}, el("span", { class: "dlx-framework", text: panel.framework }), el("span", { class: "dlx-method", text: panel.title }));
  const parts = el("div", { class: "dlx-parts" });
  if (panel.error) parts.append(el("p", { class: "dlx-error", role: "alert", text: panel.error }));
  if (panel.warnings) parts.append(...panel.warnings.map((warning) => el("p", { class: "dlx-warning", text: `⚠ ${warning}` })));
  if (panel.map) parts.append(mapFigure(panel, picture, limit, paint));
  if (panel.bars) parts.append(barFigure(panel.bars, panel.alt));
  const side = el("div", { class: "dlx-side" });
  if (panel.facts?.length) {
    side.append(el("ul", { class: "dlx-facts" }, ...panel.facts.map(([name, value]) => el("li", {}, el("span", { text: name }), el("span", { text: value })))));
  }
  if (panel.predictions) side.append(predictionBars(panel.predictions, panel.framework));
  const inside = panel.tiles && el("div", { class: "dlx-inside" }, el("h4", { text: panel.tiles.title }), tileFigure(panel.tiles, panel.tiles.alt, paint));
  if (inside && !panel.map && !panel.bars) parts.append(inside, side);
  else parts.append(side, ...(inside ? [inside] : []));
  return el("section", { class: "dlx-panel", "aria-label": `${panel.framework}: ${panel.title}` }, heading, parts);
}

// One limit for all panels of a scene, so that equal colours mean equal values; methods differ in unit, frameworks do not.
export function commonLimit(panels) {
  return Math.max(0, ...panels.filter((panel) => panel.map).map((panel) => panel.map.limit));
}
