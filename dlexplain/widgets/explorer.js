// The explanation explorer: choose a sample, a class, a method, a layer and a framework; the maps follow.

import { colourist, drawPicture, el, field, fillSelect, isDark, onThemeChange, segmented } from "./paint.js";
import { commonLimit, drawPanel } from "./panel.js";

const CHOICES = ["sample", "target", "method", "layer", "framework"];

function render({ model, el: root }) {
  const menu = model.get("menu");
  root.classList.add("dlx", "dlx-explorer");
  const asked = () => Object.fromEntries(CHOICES.map((name) => [name, model.get(name)]));
  const ask = (changes) => {
    model.set(changes);
    model.save_changes();
    wait();
  };

  // Controls.
  const slider = el("input", { type: "range", min: 0, max: menu.samples.length - 1, step: 1, "aria-describedby": null });
  const caption = el("output", { class: "dlx-caption" });
  const move = (by) => ask({ sample: Math.min(Math.max(model.get("sample") + by, 0), menu.samples.length - 1) });
  slider.addEventListener("input", () => ask({ sample: Number(slider.value) }));
  const before = el("button", { type: "button", class: "dlx-button", "aria-label": "Previous sample", text: "‹", onclick: () => move(-1) });
  const after = el("button", { type: "button", class: "dlx-button", "aria-label": "Next sample", text: "›", onclick: () => move(1) });
  const sampleField = field("Sample", slider, true);
  sampleField.append(before, after, caption);
  sampleField.classList.add("dlx-sample");

  const target = el("select", { onchange: () => ask({ target: target.value === "" ? null : Number(target.value) }) });
  const method = el("select", { onchange: () => ask({ method: method.value }) });
  const layer = el("select", { onchange: () => ask({ layer: layer.value }) });
  fillSelect(target, menu.targets, "");
  fillSelect(method, menu.methods, model.get("method"));
  fillSelect(layer, menu.layers, model.get("layer"));
  const layerField = field("Layer", layer);
  const framework = segmented("Framework", menu.frameworks, model.get("framework"), (value) => ask({ framework: value }));
  framework.hidden = menu.frameworks.length < 2;
  const controls = el("div", { class: "dlx-controls" }, sampleField, field("Class", target), field("Method", method), layerField, framework);

  // Answers.
  const status = el("p", { class: "dlx-status", role: "status", "aria-live": "polite" });
  const told = el("p", { class: "dlx-unseen", "aria-live": "polite" }); // what a new map shows, for who cannot see it
  const canvas = el("canvas", { class: "dlx-canvas dlx-picture", role: "img" });
  const input = el("section", { class: "dlx-panel dlx-input" }, el("h3", {}, el("span", { class: "dlx-framework", text: "Input" })), el("figure", { class: "dlx-figure" }, canvas));
  const panels = el("div", { class: "dlx-panels" });
  const note = el("p", { class: "dlx-note", text: menu.note ?? "" });
  note.hidden = !menu.note;
  root.replaceChildren(el("h2", { text: menu.title }), controls, status, told, panels, note);

  let timer = null;
  function wait() {
    clearTimeout(timer);
    const scene = model.get("scene");
    const answered = scene?.choice && JSON.stringify(scene.choice) === JSON.stringify(asked());
    if (!answered) timer = setTimeout(() => { status.textContent = "Computing…"; root.setAttribute("aria-busy", "true"); }, 120);
  }

  function showControls() {
    slider.value = String(model.get("sample"));
    caption.textContent = menu.samples[model.get("sample")] ?? "";
    slider.setAttribute("aria-valuetext", caption.textContent);
    before.disabled = model.get("sample") <= 0;
    after.disabled = model.get("sample") >= menu.samples.length - 1;
    target.value = model.get("target") === null ? "" : String(model.get("target"));
    method.value = model.get("method");
    layer.value = model.get("layer");
    const layered = menu.methods.find(({ value }) => value === model.get("method"))?.layered;
    layer.disabled = !layered;
    layerField.classList.toggle("dlx-idle", !layered);
    framework.choose(model.get("framework"));
  }

  function show() {
    const scene = model.get("scene");
    if (!scene?.choice) return;
    clearTimeout(timer);
    root.removeAttribute("aria-busy");
    const paint = colourist(menu.scales, isDark(root));
    root.dataset.dark = String(paint.dark);
    root.style.setProperty("--dlx-for", paint.css(paint.diverging(0.75, 1)));
    root.style.setProperty("--dlx-against", paint.css(paint.diverging(-0.75, 1)));
    const shown = scene.panels.map((panel) => drawPanel(panel, scene.picture, commonLimit(scene.panels), paint));
    if (scene.picture) {
      drawPicture(canvas, scene.picture);
      canvas.setAttribute("aria-label", scene.picture.alt);
      shown.unshift(input);
    }
    panels.replaceChildren(...shown);
    told.textContent = scene.panels.map((panel) => panel.alt ?? panel.tiles?.alt ?? panel.error ?? "").join(" ");
    status.textContent = scene.error || scene.summary;
    status.classList.toggle("dlx-error", Boolean(scene.error));
    root.dataset.shown = JSON.stringify(scene.choice);
    root.dispatchEvent(new CustomEvent("dlx-shown"));
  }

  CHOICES.forEach((name) => model.on(`change:${name}`, showControls));
  model.on("change:scene", show);
  const unwatch = onThemeChange(() => requestAnimationFrame(show));
  showControls();
  requestAnimationFrame(show);
  return () => { unwatch(); model.off("change:scene", show); CHOICES.forEach((name) => model.off(`change:${name}`, showControls)); };
}

export default { render };
