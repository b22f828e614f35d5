// Stands in for the kernel in a static page: answers each choice from what was recorded.

function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.base64 === "string" && Object.keys(value).length === 1) {
    const bytes = Uint8Array.from(atob(value.base64), (letter) => letter.charCodeAt(0));
    return new DataView(bytes.buffer);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)]));
}

function recordedModel(record) {
  const state = revive(record.state);
  const listeners = new Map();
  const tell = (name) => (listeners.get(name) ?? []).forEach((listener) => listener());
  const model = {
    get: (name) => state[name],
    set: (name, value) => {
      for (const [key, item] of Object.entries(typeof name === "string" ? { [name]: value } : name)) {
        state[key] = item;
        tell(`change:${key}`);
      }
    },
    save_changes: () => { state.scene = answer(); tell("change:scene"); },
    on: (name, listener) => listeners.set(name, [...(listeners.get(name) ?? []), listener]),
    off: (name, listener) => listeners.set(name, (listeners.get(name) ?? []).filter((one) => one !== listener)),
  };
  const choice = () => Object.fromEntries(record.choices.map((name) => [name, state[name]]));
  // A layer that the method does not use, and a framework that stands for several, are not part of a panel's key.
  const key = (asked, label) => {
    const layered = state.menu.methods.find(({ value }) => value === asked.method)?.layered;
    const goal = asked.method === "activations" ? null : asked.target;
    return JSON.stringify([label, asked.sample ?? asked.example, goal, asked.method, layered ? asked.layer : ""]);
  };
  const panelOf = (asked, label) => {
    const panel = record.panels[key(asked, label)];
    const tiles = record.tiles?.[JSON.stringify([label, asked.example, null, "", asked.layer])];
    return panel && revive(tiles ? { ...panel, tiles } : panel);
  };
  const answer = () => {
    const asked = choice();
    const labels = record.frameworks[asked.framework] ?? Object.values(record.frameworks).at(-1);
    const panels = labels.map((label) => panelOf(asked, label)).filter(Boolean);
    const picture = revive(record.pictures[asked.sample ?? asked.example] ?? null);
    const missing = panels.length ? "" : "This combination was not recorded in the page. Open the notebook to compute it.";
    return { choice: asked, picture, panels, error: missing, summary: record.summaries[asked.sample ?? asked.example] ?? "" };
  };
  state.scene = answer();
  return model;
}

{
  const record = JSON.parse(document.getElementById("record").textContent);
  render({ model: recordedModel(record), el: document.getElementById("widget") });
}
