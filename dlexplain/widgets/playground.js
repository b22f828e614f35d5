// The border playground: build a small network, let it learn, watch its border and what its units draw.

import { bytesOf, colourist, el, field, fillSelect, isDark, onThemeChange, segmented } from "./paint.js";

const PLANE = 640; // canvas points a side of the large picture

// Bytes of 1 to 255 hold roots of −1 to 1, so that small values are fine.
const decoded = (cell) => (cell - 128) * Math.abs(cell - 128) / 16129;

// Blue below zero, orange above.
function drawArea(canvas, cells, side, paint, points, limit = 1.2) {
  canvas.width = points;
  canvas.height = points;
  const small = document.createElement("canvas");
  small.width = side;
  small.height = side;
  const image = small.getContext("2d").createImageData(side, side);
  cells.forEach((cell, i) => image.data.set([...paint.diverging(decoded(cell), limit), 255], 4 * i));
  small.getContext("2d").putImageData(image, 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = true;
  context.drawImage(small, 0, 0, points, points);
  return context;
}

// Where neighbouring cells change sign: the border, drawn between their middles (marching squares).
function drawBorder(context, cells, side, points, colour, width) {
  const step = points / side;
  const value = (x, y) => decoded(cells[y * side + x]);
  const cut = (a, b) => a / (a - b);
  context.beginPath();
  for (let y = 0; y + 1 < side; y += 1) {
    for (let x = 0; x + 1 < side; x += 1) {
      const [a, b, c, d] = [value(x, y), value(x + 1, y), value(x + 1, y + 1), value(x, y + 1)];
      const ends = [];
      if (a > 0 !== b > 0) ends.push([x + cut(a, b), y]);
      if (b > 0 !== c > 0) ends.push([x + 1, y + cut(b, c)]);
      if (c > 0 !== d > 0) ends.push([x + 1 - cut(c, d), y + 1]);
      if (d > 0 !== a > 0) ends.push([x, y + 1 - cut(d, a)]);
      for (let k = 0; k + 1 < ends.length; k += 2) {
        context.moveTo((ends[k][0] + 0.5) * step, (ends[k][1] + 0.5) * step);
        context.lineTo((ends[k + 1][0] + 0.5) * step, (ends[k + 1][1] + 0.5) * step);
      }
    }
  }
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineCap = "round";
  context.stroke();
}

// Circles are the first class, squares the second; what was held back is hollow.
function drawPoints(context, part, hollow, points, paint) {
  const places = bytesOf(part.places);
  const labels = bytesOf(part.labels);
  labels.forEach((label, i) => {
    const [x, y] = [places[2 * i] / 255 * points, places[2 * i + 1] / 255 * points];
    const colour = paint.css(paint.diverging(label ? 1 : -1, 1));
    context.beginPath();
    if (label) context.rect(x - 5, y - 5, 10, 10); else context.arc(x, y, 5.8, 0, 2 * Math.PI);
    context.lineWidth = hollow ? 2.4 : 1.6;
    context.fillStyle = hollow ? (paint.dark ? "#16181d" : "#ffffff") : colour;
    context.strokeStyle = hollow ? colour : paint.dark ? "#16181d" : "#ffffff";
    context.fill();
    context.stroke();
  });
}

// Two lines over the rounds: whole for the points learned, dashed for those held back.
function drawCurve(canvas, losses, paint) {
  const [wide, high, left, under] = [480, 260, 52, 34];
  canvas.width = wide;
  canvas.height = high;
  const context = canvas.getContext("2d");
  const ink = paint.css(paint.ink);
  const sound = losses.filter((row) => row[1] !== null && row[2] !== null);
  const most = Math.max(0.75, ...sound.slice(1).flatMap((row) => [row[1], row[2]]));
  const end = Math.max(10, losses.at(-1)?.[0] ?? 0);
  const x = (round) => left + (wide - left - 14) * round / end;
  const y = (loss) => 12 + (high - under - 12) * (1 - Math.min(loss, most) / most);
  context.font = "500 19px system-ui, sans-serif";
  context.fillStyle = context.strokeStyle = paint.dark ? "#a4adb8" : "#59616b";
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(left, 12);
  context.lineTo(left, y(0));
  context.lineTo(wide - 14, y(0));
  context.stroke();
  context.textAlign = "right";
  context.fillText(most.toFixed(1), left - 8, 24);
  context.fillText("0", left - 8, y(0) + 6);
  context.fillText(`${end} rounds`, wide - 14, high - 6);
  context.lineWidth = 3.4;
  for (const [column, dash, colour] of [[1, [], ink], [2, [9, 7], paint.css(paint.diverging(1, 1))]]) {
    context.beginPath();
    sound.forEach((row, i) => (i ? context.lineTo(x(row[0]), y(row[column])) : context.moveTo(x(row[0]), y(row[column]))));
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.stroke();
  }
  context.setLineDash([]);
}

// --- controls --------------------------------------------------------------------------------------------------

function sliderField(label, trait, { min, max, step }, told, model, ask) {
  const control = el("input", { type: "range", min, max, step });
  const words = el("output", { class: "dlx-caption" });
  const show = () => {
    control.value = String(model.get(trait));
    words.textContent = told(Number(model.get(trait)));
    control.setAttribute("aria-valuetext", words.textContent);
  };
  control.addEventListener("input", () => ask({ [trait]: Number(control.value) }));
  const box = field(label, control);
  const row = el("div", { class: "dlx-slide" }, control, words);
  box.append(row);
  return { box, show };
}

const RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];

function liveControls(menu, model, ask) {
  const select = (label, trait, options) => {
    const control = el("select", { onchange: () => ask({ [trait]: control.value }) });
    fillSelect(control, options, model.get(trait));
    return { box: field(label, control), show: () => { control.value = model.get(trait); } };
  };
  const framework = segmented("Network in", menu.frameworks, model.get("framework"), (value) => ask({ framework: value }));
  framework.hidden = menu.frameworks.length < 2;
  const rate = el("select", { onchange: () => ask({ rate: Number(rate.value) }) });
  const rates = [...new Set([...RATES, model.get("rate")])].sort((a, b) => a - b);
  fillSelect(rate, rates.map((value) => ({ value, label: String(value) })), model.get("rate"));
  const shuffled = el("input", { type: "checkbox", onchange: () => ask({ shuffled: shuffled.checked }) });
  const control = el("label", { class: "dlx-tick" }, shuffled, el("span", { text: "Shuffle the colours of the points (control)" }));
  const every = [
    select("Points", "data", menu.data),
    sliderField("Noise", "noise", { min: 0, max: 0.5, step: 0.05 }, (v) => v.toFixed(2), model, ask),
    sliderField("Hidden layers", "layers", { min: 0, max: menu.most_layers, step: 1 }, (v) => String(v), model, ask),
    sliderField("Units a layer", "units", { min: 1, max: menu.most_units, step: 1 }, (v) => String(v), model, ask),
    select("Activation", "activation", menu.activations),
    { box: field("Learning rate", rate), show: () => { rate.value = String(model.get("rate")); } },
    { box: framework, show: () => framework.choose(model.get("framework")) },
    { box: control, show: () => { shuffled.checked = model.get("shuffled"); } },
  ];
  return { box: el("div", { class: "dlx-controls" }, ...every.map(({ box }) => box)), show: () => every.forEach((one) => one.show()) };
}

const TRAITS = ["data", "framework", "layers", "units", "activation", "noise", "rate", "shuffled"];

function render({ model, el: root }) {
  const menu = model.get("menu");
  root.classList.add("dlx", "dlx-playground");
  const films = menu.films ?? [];
  let film = 0;
  let frame = Math.max(0, (films[0]?.scenes.length ?? 1) - 1);
  let playing = false;
  let large = null; // the unit shown large: { layer, unit }
  const scene = () => (menu.recorded ? films[film].scenes[frame] : model.get("scene"));

  // Sends a change; while the answer is away, the next request waits for it.
  let away = false;
  const ask = (changes) => {
    model.set(changes);
    model.save_changes();
    away = true;
    root.setAttribute("aria-busy", "true");
  };

  // What can be pressed.
  const button = (text, onclick, more = {}) => el("button", { type: "button", class: "dlx-button", text, onclick, ...more });
  const play = button("▶ Play", () => setPlaying(!playing), { "aria-pressed": "false" });
  const stepping = button("Step", () => { setPlaying(false); step(); });
  const reset = button("Reset", () => { setPlaying(false); restart(); });
  const pace = segmented("Rounds a step", menu.paces.map((value) => ({ value, label: String(value) })), model.get("pace") ?? 10, (value) => { model.set({ pace: value }); model.save_changes(); });
  pace.hidden = menu.recorded;
  const clip = el("select", { onchange: () => { film = Number(clip.value); frame = Math.min(frame, films[film].scenes.length - 1); show(); } });
  if (menu.recorded) fillSelect(clip, films.map(({ label }, value) => ({ value, label })), 0);
  const reel = el("input", { type: "range", min: 0, max: Math.max(0, (films[0]?.scenes.length ?? 1) - 1), step: 1, value: frame });
  reel.addEventListener("input", () => { setPlaying(false); frame = Number(reel.value); show(); });
  const live = menu.recorded ? null : liveControls(menu, model, ask);
  const controls = live ? live.box : el("div", { class: "dlx-controls" }, field("Network", clip), field("Moment of training", reel));
  const tools = el("div", { class: "dlx-tools", role: "group", "aria-label": "Training" }, play, stepping, reset, pace);

  // What is drawn.
  const plane = el("canvas", { class: "dlx-canvas dlx-plane", role: "img" });
  const title = el("p", { class: "dlx-readout" });
  const losses = el("canvas", { class: "dlx-canvas dlx-losses", role: "img" });
  const status = el("p", { class: "dlx-status", role: "status", "aria-live": "off" });
  const units = el("div", { class: "dlx-units" });
  root.replaceChildren(el("h2", { text: menu.title }), controls,
    el("div", { class: "dlx-ground" },
      el("figure", { class: "dlx-figure" }, plane, title),
      el("div", {}, tools, status, el("h4", { text: "Loss: whole line, points learned; dashed, points held back" }), losses,
        el("h4", { text: "What each hidden unit draws" }), units)),
    el("p", { class: "dlx-note", text: menu.note }));

  // Training. A page without a kernel goes through its recorded moments.
  function step() {
    if (!menu.recorded) { ask({ asked: model.get("asked") + 1 }); return; }
    if (frame + 1 < films[film].scenes.length) { frame += 1; show(); } else setPlaying(false);
  }
  function restart() {
    if (menu.recorded) { frame = 0; show(); } else ask({ restarts: model.get("restarts") + 1 });
  }
  let timer = null;
  function setPlaying(on) {
    if (on === playing) return;
    playing = on;
    play.textContent = on ? "❚❚ Pause" : "▶ Play";
    play.setAttribute("aria-pressed", String(on));
    clearTimeout(timer);
    status.setAttribute("aria-live", on ? "off" : "polite"); // a reader is not told forty rounds a second
    if (on && menu.recorded && frame + 1 >= films[film].scenes.length) { frame = 0; show(); }
    if (on) next();
  }
  function next() {
    clearTimeout(timer);
    if (!playing || away) return;
    if ((scene()?.rounds ?? 0) >= menu.most_rounds || scene()?.error) { setPlaying(false); return; }
    timer = setTimeout(step, menu.recorded ? 700 : 16);
  }

  function showUnits(now, paint) {
    const layers = now.hidden ?? [];
    const count = layers.reduce((sum, { count: n }) => sum + n, 0);
    // The same buttons are kept while a network learns, so that the focus stays where it is.
    if (units.dataset.shape !== layers.map(({ count: n }) => n).join()) {
      units.dataset.shape = layers.map(({ count: n }) => n).join();
      large = null;
      units.replaceChildren(...layers.map(({ count: n }, layer) => el("div", { class: "dlx-unit-row", role: "group", "aria-label": `Hidden layer ${layer + 1}` },
        el("span", { class: "dlx-unit-name", text: `${layer + 1}` }),
        ...Array.from({ length: n }, (_, unit) => {
          const look = () => { large = { layer, unit }; draw(); };
          const back = () => { large = null; draw(); };
          return el("button", { type: "button", class: "dlx-unit", "aria-label": `Layer ${layer + 1}, unit ${unit + 1}: show it large`, onfocus: look, onblur: back, onpointerenter: look, onpointerleave: back },
            el("canvas", { class: "dlx-canvas", "aria-hidden": true }));
        }))));
    }
    const canvases = units.querySelectorAll("canvas");
    let at = 0;
    for (const { count: n, cells } of layers) {
      const bytes = bytesOf(cells);
      for (let unit = 0; unit < n; unit += 1, at += 1) {
        const own = bytes.subarray(unit * now.tile ** 2, (unit + 1) * now.tile ** 2);
        drawArea(canvases[at], own, now.tile, paint, 66);
      }
    }
    if (!count) units.replaceChildren(el("p", { class: "dlx-readout", text: now.error ? "" : "No hidden layer: one neuron decides alone." }));
    if (!count) units.dataset.shape = "none";
  }

  function draw() {
    const now = scene();
    if (!now?.border) return;
    const paint = colourist(menu.scales, isDark(root));
    root.dataset.dark = String(paint.dark);
    const layer = large && now.hidden[large.layer];
    const whole = layer ? bytesOf(layer.cells) : bytesOf(now.border);
    const side = layer ? now.tile : now.side;
    const cells = layer ? whole.subarray(large.unit * side * side, (large.unit + 1) * side * side) : whole;
    const context = drawArea(plane, cells, side, paint, PLANE, 2.2);
    drawBorder(context, cells, side, PLANE, paint.css(paint.ink), 3.5);
    drawPoints(context, now.points.held, true, PLANE, paint);
    drawPoints(context, now.points.seen, false, PLANE, paint);
    plane.setAttribute("aria-label", layer ? `What unit ${large.unit + 1} of layer ${large.layer + 1} draws.` : now.alt);
    title.textContent = layer ? `Layer ${large.layer + 1}, unit ${large.unit + 1}: blue below zero, orange above.` : "The network's answer: blue or orange. The line is its border.";
  }

  function show() {
    const now = scene();
    away = false;
    root.removeAttribute("aria-busy");
    live?.show();
    if (now) {
      const paint = colourist(menu.scales, isDark(root));
      showUnits(now, paint);
      draw();
      if (now.losses) {
        drawCurve(losses, now.losses, paint);
        const [, learned, held] = now.losses.at(-1);
        losses.setAttribute("aria-label", `Loss after round ${now.rounds}: ${learned?.toFixed(2) ?? "lost"} for the points learned, ${held?.toFixed(2) ?? "lost"} for those held back.`);
      }
      status.textContent = now.error || now.summary || "";
      status.classList.toggle("dlx-error", Boolean(now.error));
      if (menu.recorded) {
        reel.max = String(films[film].scenes.length - 1);
        reel.value = String(frame);
        reel.setAttribute("aria-valuetext", `round ${now.rounds}`);
      }
      root.dataset.shown = String(now.serial ?? frame);
      root.dataset.rounds = String(now.rounds ?? 0);
      root.dispatchEvent(new CustomEvent("dlx-shown"));
    }
    next();
  }

  const heard = menu.recorded ? [] : [["change:scene", show], ...TRAITS.map((name) => [`change:${name}`, live.show])];
  heard.forEach(([name, listener]) => model.on(name, listener));
  const unwatch = onThemeChange(() => requestAnimationFrame(show));
  requestAnimationFrame(show);
  return () => { clearTimeout(timer); playing = false; unwatch(); heard.forEach(([name, listener]) => model.off(name, listener)); };
}

export default { render };
