// The drawing board: mouse, touch or keyboard put ink on a fine grid; what the networks make of it follows the pen.

import { bytesOf, colourist, drawPicture, el, field, fillSelect, isDark, onThemeChange } from "./paint.js";
import { commonLimit, drawPanel } from "./panel.js";

// Ink along a line, as Python's `draw`: full within the pen's radius, fading over one cell.
function ink(cells, width, height, from, to, radius, erase) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const part = length ? Math.min(Math.max(((x + 0.5 - from.x) * dx + (y + 0.5 - from.y) * dy) / length, 0), 1) : 0;
      const distance = Math.hypot(x + 0.5 - from.x - part * dx, y + 0.5 - from.y - part * dy);
      const grey = Math.round(255 * Math.min(Math.max(radius + 0.5 - distance, 0), 1));
      const at = y * width + x;
      cells[at] = erase ? Math.min(cells[at], 255 - grey) : Math.max(cells[at], grey);
    }
  }
}

function render({ model, el: root }) {
  const menu = model.get("menu");
  const { width, height } = menu;
  const radius = menu.pen * Math.max(width, height);
  root.classList.add("dlx", "dlx-drawing");
  const received = () => Uint8Array.from(atob(model.get("drawing")), (letter) => letter.charCodeAt(0));
  let cells = received();
  let own = null;               // the drawing last sent from here, to tell it from one set in Python
  const history = [];
  let erasing = false;
  let cursor = { x: width / 2, y: height / 2, shown: false };

  // The desk.
  const hint = menu.recorded
    ? "Recorded drawing. Choose another above."
    : "Drawing board. Draw with the pointer, or: arrow keys move the pen (Shift: further), space draws, Enter holds the pen down, Delete rubs out, Ctrl+Z undoes.";
  const paper = el("canvas", { class: "dlx-canvas dlx-paper", role: "img", tabindex: 0, "aria-label": hint });
  const announce = el("p", { class: "dlx-readout", role: "status", "aria-live": "polite", text: hint });
  const button = (text, onclick, more = {}) => el("button", { type: "button", class: "dlx-button", text, onclick, ...more });
  const pen = button("Pen", () => tool(false), { "aria-pressed": "true" });
  const rubber = button("Rubber", () => tool(true), { "aria-pressed": "false" });
  const undoing = button("Undo", () => undo());
  const tools = el("div", { class: "dlx-tools", role: "group", "aria-label": "Tools" },
    pen, rubber, undoing, button("Clear", () => { remember(); cells.fill(0); say("The board is empty."); send(); }));
  const examples = el("select", { onchange: () => show_example(examples.value) });
  fillSelect(examples, [...(menu.recorded ? [] : [{ value: "", label: "choose…" }]), ...menu.examples.map(({ name }) => ({ value: name, label: name }))], model.get("example") ?? "");
  const seen = el("canvas", { class: "dlx-canvas", role: "img" });
  const seenRow = el("div", { class: "dlx-seen", hidden: true }, seen, el("span", { text: "What the networks see, scaled and centred as in their training data." }));
  const desk = el("div", { class: "dlx-desk" }, paper, menu.recorded ? null : tools, field(menu.recorded ? "Drawing" : "Example", examples), announce, seenRow);

  // Choices and answers.
  const ask = (changes) => { model.set(changes); model.save_changes(); wait(); };
  const method = el("select", { onchange: () => ask({ method: method.value }) });
  const layer = el("select", { onchange: () => ask({ layer: layer.value }) });
  const target = el("select", { onchange: () => ask({ target: target.value === "" ? null : Number(target.value) }) });
  fillSelect(method, menu.methods, model.get("method"));
  fillSelect(layer, menu.layers, model.get("layer"));
  fillSelect(target, menu.targets, model.get("target") ?? "");
  const controls = el("div", { class: "dlx-controls" }, field("Method", method), field("Explained class", target), field("Look into layer", layer));
  controls.lastChild.hidden = menu.layers.length === 0;
  const status = el("p", { class: "dlx-status", role: "status", "aria-live": "polite" });
  const panels = el("div", { class: "dlx-panels" });
  root.replaceChildren(el("h2", { text: menu.title }),
    el("div", { class: "dlx-board" }, desk, el("div", {}, controls, status, panels)),
    el("p", { class: "dlx-note", text: menu.note }));

  const say = (words) => { announce.textContent = words; };
  let timer = null;
  function wait() {
    clearTimeout(timer);
    timer = setTimeout(() => { status.textContent = "Computing…"; root.setAttribute("aria-busy", "true"); }, 150);
  }

  // Ink.
  function paint() {
    drawPicture(paper, { width, height, channels: 1, pixels: cells });
    const context = paper.getContext("2d");
    const cell = paper.width / width;
    if (!menu.recorded && !cells.some((value) => value > 0)) {
      context.fillStyle = "#9aa3af";
      context.font = `500 ${paper.width / 16}px system-ui, sans-serif`;
      context.textAlign = "center";
      context.fillText("Draw a digit here", paper.width / 2, paper.height / 2);
    }
    if (!cursor.shown) return;
    context.lineWidth = 6;
    context.strokeStyle = "#ffb000";
    context.beginPath();
    context.arc(cursor.x * cell, cursor.y * cell, Math.max(radius * cell, 12), 0, 2 * Math.PI);
    context.stroke();
  }
  function remember() {
    history.push(cells.slice());
    if (history.length > 50) history.shift();
    undoing.disabled = false;
  }
  function undo() {
    const last = history.pop();
    undoing.disabled = history.length === 0;
    if (!last) { say("Nothing to undo."); return; }
    cells = last;
    say("Undone.");
    send();
  }
  function tool(erase) {
    erasing = erase;
    pen.setAttribute("aria-pressed", String(!erase));
    rubber.setAttribute("aria-pressed", String(erase));
  }
  // At most one message a frame; the widget manager holds the next back until the kernel has answered, newest wins.
  let framed = false;
  function send() {
    paint();
    if (framed) return;
    framed = true;
    requestAnimationFrame(() => {
      framed = false;
      own = btoa(String.fromCharCode(...cells));
      if (own !== model.get("drawing")) ask({ drawing: own });
    });
  }
  function show_example(name) {
    const example = menu.examples.find((one) => one.name === name);
    if (!example) return;
    remember();
    cells = Uint8Array.from(bytesOf(example.drawing));
    say(`Example: ${name}.`);
    if (menu.recorded) { paint(); ask({ example: name }); } else send();
  }

  // Pointer: mouse, pen and finger alike.
  let last = null;
  const place = (event) => {
    const box = paper.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width * width, y: (event.clientY - box.top) / box.height * height };
  };
  const stroke = (point) => { ink(cells, width, height, last ?? point, point, radius, erasing); last = point; send(); };
  if (!menu.recorded) {
    paper.addEventListener("pointerdown", (event) => {
      if (event.button > 0) return;
      event.preventDefault();
      paper.focus({ preventScroll: true });
      paper.setPointerCapture(event.pointerId);
      cursor.shown = false;
      remember();
      last = null;
      say(erasing ? "Rubbing out." : "Drawing.");
      stroke(place(event));
    });
    paper.addEventListener("pointermove", (event) => {
      if (!last) return;
      for (const one of event.getCoalescedEvents?.() ?? [event]) stroke(place(one));
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) paper.addEventListener(end, () => { last = null; });
  }

  // Keyboard. The notebook's own shortcuts must not see these keys.
  let held = false;
  function key(event) {
    const jump = event.shiftKey ? 4 : 1;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const before = { x: cursor.x, y: cursor.y };
    const rub = event.key === "Delete" || event.key === "Backspace";
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") undo();
    else if (step) {
      cursor = { x: Math.min(Math.max(cursor.x + jump * step[0], 0.5), width - 0.5), y: Math.min(Math.max(cursor.y + jump * step[1], 0.5), height - 0.5), shown: true };
      if (held) { ink(cells, width, height, before, cursor, radius, erasing); send(); } else paint();
      say(`Row ${Math.ceil(cursor.y)} of ${height}, column ${Math.ceil(cursor.x)} of ${width}, ${cells[Math.floor(cursor.y) * width + Math.floor(cursor.x)] > 127 ? "ink" : "empty"}${held ? ", pen down" : ""}.`);
    } else if (event.key === " " || rub) {
      remember();
      cursor.shown = true;
      ink(cells, width, height, cursor, cursor, radius, rub || erasing);
      say(rub || erasing ? "Rubbed out." : "Drawn.");
      send();
    } else if (event.key === "Enter") {
      held = !held;
      cursor.shown = true;
      if (held) { remember(); ink(cells, width, height, cursor, cursor, radius, erasing); send(); }
      say(held ? "Pen down: arrow keys draw." : "Pen up.");
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
  if (!menu.recorded) paper.addEventListener("keydown", key);
  paper.addEventListener("blur", () => { held = false; cursor.shown = false; paint(); });

  function show() {
    const scene = model.get("scene");
    clearTimeout(timer);
    root.removeAttribute("aria-busy");
    const colours = colourist(menu.scales, isDark(root));
    root.dataset.dark = String(colours.dark);
    root.style.setProperty("--dlx-for", colours.css(colours.diverging(0.75, 1)));
    root.style.setProperty("--dlx-against", colours.css(colours.diverging(-0.75, 1)));
    const limit = commonLimit(scene.panels ?? []);
    panels.replaceChildren(...(scene.panels ?? []).map((panel) => drawPanel(panel, scene.picture, limit, colours)));
    seenRow.hidden = !scene.picture;
    if (scene.picture) { drawPicture(seen, scene.picture); seen.setAttribute("aria-label", scene.picture.alt); }
    status.textContent = scene.error || scene.summary || "";
    status.classList.toggle("dlx-error", Boolean(scene.error));
    root.dataset.shown = String(scene.serial ?? 0);
    root.dispatchEvent(new CustomEvent("dlx-shown"));
  }
  function adopt() {
    if (own === model.get("drawing")) return;
    own = null;
    cells = received();
    paint();
  }
  function showControls() {
    method.value = model.get("method");
    layer.value = model.get("layer");
    target.value = model.get("target") === null ? "" : String(model.get("target"));
  }
  const listeners = [["change:scene", show], ["change:drawing", adopt], ["change:method", showControls], ["change:layer", showControls], ["change:target", showControls]];
  listeners.forEach(([name, listener]) => model.on(name, listener));
  const unwatch = onThemeChange(() => requestAnimationFrame(show));
  undoing.disabled = true;
  paint();
  requestAnimationFrame(show);
  return () => { unwatch(); listeners.forEach(([name, listener]) => model.off(name, listener)); };
}

export default { render };
