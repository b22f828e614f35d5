// What both widgets draw with: elements made of text (never of markup), maps on canvas, bars, legends.

const FOCUSABLE = ["button", "canvas", "input", "select"];

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  // Else JupyterLab takes the arrow keys, Enter and D, D (which deletes the cell) from whatever is no text field.
  if (FOCUSABLE.includes(tag)) node.setAttribute("data-lm-suppress-shortcuts", "true");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// Random, since each widget on a page has a copy of this module of its own.
export const freshId = (stem) => `dlx-${stem}-${Math.random().toString(36).slice(2)}`;

export function field(label, control, wide = false) {
  const id = freshId("field");
  control.id = id;
  return el("div", { class: wide ? "dlx-field dlx-wide" : "dlx-field" }, el("label", { for: id, text: label }), control);
}

export function fillSelect(select, options, chosen) {
  select.replaceChildren(...options.map(({ value, label }) => el("option", { value, text: label })));
  select.value = String(chosen);
}

// A group of radio buttons that looks like one switch: arrow keys and a single tab stop come with it.
export function segmented(label, options, chosen, onchange) {
  const name = freshId("choice");
  const group = el("fieldset", { class: "dlx-segments" }, el("legend", { text: label }));
  const row = el("div", { class: "dlx-segment-row" });
  for (const { value, label: text } of options) {
    const radio = el("input", { type: "radio", name, value, onchange: () => onchange(value) });
    radio.checked = value === chosen;
    row.append(el("label", {}, radio, el("span", { text })));
  }
  group.append(row);
  group.choose = (value) => row.querySelectorAll("input").forEach((radio) => { radio.checked = radio.value === value; });
  return group;
}

// --- numbers -------------------------------------------------------------------------------------------------

function view(buffer) {
  return buffer instanceof DataView ? buffer : new DataView(buffer.buffer ?? buffer, buffer.byteOffset ?? 0, buffer.byteLength);
}

export function bytesOf(buffer) {
  const data = view(buffer);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

// Values travel as 16-bit whole numbers times a step: half the bytes of float32, and finer than any screen.
export function numbers({ data, step }) {
  const raw = view(data);
  return Float32Array.from({ length: raw.byteLength / 2 }, (_, i) => raw.getInt16(2 * i, true) * step);
}

export function signed(value) {
  const size = Math.abs(value);
  const digits = size === 0 || size >= 0.001 ? size.toPrecision(2) : size.toExponential(1);
  return value < 0 ? `−${digits}` : `+${digits}`;
}

// --- colour --------------------------------------------------------------------------------------------------

// The text's own colour tells a dark page from a light one, wherever the widget lives.
export function isDark(node) {
  const [r, g, b] = (getComputedStyle(node).color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  return 0.3 * r + 0.6 * g + 0.1 * b > 128;
}

export function onThemeChange(callback) {
  const watcher = new MutationObserver(callback);
  const names = ["class", "data-jp-theme-light", "data-jp-theme-name", "data-vscode-theme-kind", "data-theme"];
  for (const node of [document.body, document.documentElement]) {
    watcher.observe(node, { attributes: true, attributeFilter: names });
  }
  const query = matchMedia("(prefers-color-scheme: dark)");
  query.addEventListener("change", callback);
  return () => { watcher.disconnect(); query.removeEventListener("change", callback); };
}

// `stops`: colours at even steps from the scale's low end to its high end; `at` goes from 0 to 1.
function shade(stops, at) {
  const place = Math.min(Math.max(at, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(place), stops.length - 2);
  const part = place - low;
  return stops[low].map((value, i) => Math.round(value + (stops[low + 1][i] - value) * part));
}

export function colourist(scales, dark) {
  const chosen = dark ? scales.dark : scales.light;
  return {
    dark,
    ink: dark ? [240, 242, 246] : [24, 28, 34],
    diverging: (value, limit) => shade(chosen.diverging, 0.5 + 0.5 * (limit > 0 ? value / limit : 0)),
    sequential: (value, limit) => shade(chosen.sequential, limit > 0 ? value / limit : 0),
    css: (rgb) => `rgb(${rgb.join(",")})`,
  };
}

// --- pictures and maps -----------------------------------------------------------------------------------------

function raster(width, height, pixel) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i += 1) {
    const [r, g, b] = pixel(i);
    image.data.set([r, g, b, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// More points than the screen shows, so that cells stay sharp at any size and zoom.
const POINTS = 720;

function prepare(canvas, width, height) {
  const scale = POINTS / Math.max(width, height);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.aspectRatio = `${width} / ${height}`;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  return { context, cell: canvas.width / width, tall: canvas.height / height };
}

export function greys(picture) {
  const { pixels, channels } = picture;
  const bytes = bytesOf(pixels);
  if (channels === 1) return bytes;
  return Uint8Array.from({ length: bytes.length / channels }, (_, i) =>
    Math.round(0.3 * bytes[channels * i] + 0.59 * bytes[channels * i + 1] + 0.11 * bytes[channels * i + 2]));
}

export function drawPicture(canvas, picture) {
  const { width, height, channels } = picture;
  const bytes = bytesOf(picture.pixels);
  const { context } = prepare(canvas, width, height);
  const pixel = channels >= 3
    ? (i) => [bytes[channels * i], bytes[channels * i + 1], bytes[channels * i + 2]]
    : (i) => [bytes[channels * i], bytes[channels * i], bytes[channels * i]];
  context.drawImage(raster(width, height, pixel), 0, 0, canvas.width, canvas.height);
}

// The outline of the picture's bright part, so that the map's own colours stay unmixed.
function outline(context, grey, width, height, cell, tall, colour) {
  const top = grey.reduce((most, value) => Math.max(most, value), 0);
  const inside = (x, y) => x >= 0 && y >= 0 && x < width && y < height && grey[y * width + x] > 0.45 * top;
  context.beginPath();
  for (let y = 0; y <= height; y += 1) {
    for (let x = 0; x <= width; x += 1) {
      if (inside(x, y) !== inside(x - 1, y)) { context.moveTo(x * cell, y * tall); context.lineTo(x * cell, (y + 1) * tall); }
      if (inside(x, y) !== inside(x, y - 1)) { context.moveTo(x * cell, y * tall); context.lineTo((x + 1) * cell, y * tall); }
    }
  }
  context.strokeStyle = colour;
  context.lineWidth = Math.max(3, Math.min(cell / 12, 7));
  context.lineCap = "round";
  context.stroke();
}

// A plus or a minus in each strong cell: the sign is there without colour too.
function marks(context, values, width, limit, cell, tall, paint) {
  context.lineWidth = Math.max(3, cell / 16);
  values.forEach((value, i) => {
    if (Math.abs(value) < 0.35 * limit) return;
    const [x, y] = [((i % width) + 0.5) * cell, (Math.floor(i / width) + 0.5) * tall];
    const [r, g, b] = paint.diverging(value, limit);
    context.strokeStyle = 0.3 * r + 0.6 * g + 0.1 * b > 140 ? "rgba(0,0,0,.8)" : "rgba(255,255,255,.92)";
    const arm = cell * 0.15;
    context.beginPath();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    if (value > 0) { context.moveTo(x, y - arm); context.lineTo(x, y + arm); }
    context.stroke();
  });
}

export function drawMap(canvas, map, limit, picture, paint, probe = null) {
  const { width, height } = map;
  const values = map.decoded ?? (map.decoded = numbers(map));
  const { context, cell, tall } = prepare(canvas, width, height);
  const fits = picture && picture.width === width && picture.height === height;
  const photo = fits && (picture.channels > 1 || width * height > 4096);
  const grey = fits ? greys(picture) : null;
  const pixel = (i) => {
    const colour = paint.diverging(values[i], limit);
    if (!photo) return colour;
    const weight = Math.min(1, 0.25 + 0.75 * Math.sqrt(Math.abs(values[i]) / (limit || 1)));
    return colour.map((c) => Math.round(weight * c + (1 - weight) * grey[i]));
  };
  context.drawImage(raster(width, height, pixel), 0, 0, canvas.width, canvas.height);
  if (fits && !photo) outline(context, grey, width, height, cell, tall, `rgba(${paint.ink.join(",")},.62)`);
  if (cell >= 40) marks(context, values, width, limit, cell, tall, paint);
  if (probe) {
    context.lineWidth = 7;
    context.strokeStyle = paint.css(paint.ink);
    context.strokeRect(probe.x * cell, probe.y * tall, cell, tall);
  }
}

export function drawTiles(canvas, tiles, paint) {
  const values = numbers(tiles);
  const { count, width, height } = tiles;
  const columns = Math.ceil(Math.sqrt(count * Math.max(1, height / width)));
  const rows = Math.ceil(count / columns);
  const gap = Math.max(1, Math.round(Math.max(width, height) / 8));
  const [wide, high] = [columns * (width + gap) - gap, rows * (height + gap) - gap];
  const { context, cell, tall } = prepare(canvas, wide, high);
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (let k = 0; k < count; k += 1) {
    const pixel = (i) => {
      const value = values[k * width * height + i];
      return tiles.signed ? paint.diverging(value, tiles.limit) : paint.sequential(value, tiles.limit);
    };
    const [x, y] = [(k % columns) * (width + gap), Math.floor(k / columns) * (height + gap)];
    context.drawImage(raster(width, height, pixel), x * cell, y * tall, width * cell, height * tall);
  }
}

// --- bars and legends ----------------------------------------------------------------------------------------

// Rows of name, bar and figure. A signed bar grows from the middle, to the right for "for".
export function bars(rows, { limit = 1, signedBars = false, format = (v) => v.toFixed(2), label }) {
  const list = el("ul", { class: rows.some(({ note }) => note) ? "dlx-bars dlx-noted" : "dlx-bars", "aria-label": label });
  for (const { name, value, strong, note } of rows) {
    const share = limit > 0 ? Math.min(Math.abs(value) / limit, 1) : 0;
    const fill = el("span", { class: value < 0 ? "dlx-fill dlx-against" : "dlx-fill" });
    if (signedBars) {
      fill.style.width = `${50 * share}%`;
      fill.style.left = value < 0 ? `${50 - 50 * share}%` : "50%";
    } else {
      fill.style.width = `${100 * share}%`;
    }
    list.append(el("li", { class: strong ? "dlx-strong" : "" },
      el("span", { class: "dlx-bar-name", text: strong ? `▸ ${name}` : name, title: name }),
      el("span", { class: signedBars ? "dlx-track dlx-signed" : "dlx-track", "aria-hidden": true }, fill),
      el("span", { class: "dlx-bar-value", text: `${format(value)} ${note ?? ""}` })));
  }
  return list;
}

export function legend(limit, paint, words = ["against", "for"], sequential = false) {
  const steps = Array.from({ length: 17 }, (_, i) => i / 16);
  const colours = steps.map((t) => paint.css(sequential ? paint.sequential(t, 1) : paint.diverging(2 * t - 1, 1)));
  const strip = el("span", { class: "dlx-strip", "aria-hidden": true });
  strip.style.background = `linear-gradient(to right, ${colours.join(",")})`;
  const low = sequential ? "0" : signed(-limit);
  return el("div", { class: "dlx-legend" },
    el("span", { text: `${words[0] ? words[0] + " " : ""}${low}` }), strip,
    el("span", { text: `${sequential ? limit.toPrecision(2) : signed(limit)}${words[1] ? " " + words[1] : ""}` }));
}
