// The main rules of accessibility as facts of the page; returns what breaks them, in words.
() => {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const say = (node, fault) => faults.push(`${fault}: ${node.outerHTML.slice(0, 120)}`);

  if (!document.documentElement.lang) faults.push("the page has no language");
  if (all("main").length !== 1 || all("h1").length !== 1) faults.push("one main and one h1 are needed");
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const now = Number(heading.tagName[1]);
    if (now > level + 1) say(heading, "a heading jumps a level");
    level = now;
  }
  for (const node of all("nav, section, article, [role=region], [role=img], figure"))
    if (!node.getAttribute("aria-label") && !document.getElementById(node.getAttribute("aria-labelledby"))?.textContent.trim()) say(node, "no name");
  for (const head of all("th")) if (!head.scope) say(head, "no scope");
  for (const field of all("input")) if (!field.labels.length) say(field, "no label");
  for (const control of all("a, button, summary")) if (shown(control) && !control.textContent.trim()) say(control, "no words");
  for (const picture of all("[role=img]")) if (picture.querySelector("a, button, input, [tabindex]")) say(picture, "controls inside a picture");
  for (const svg of all("svg.shape")) if (svg.getAttribute("aria-hidden") !== "true" || !svg.parentElement.textContent.trim()) say(svg, "a shape without its word");
  for (const box of all(".scroll")) if (box.tabIndex !== 0) say(box, "cannot be scrolled by keys");

  const parts = (colour) => { const n = colour.match(/[\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) { const c = parts(getComputedStyle(node).backgroundColor); if (c[3] === 1) return c; }
    return [255, 255, 255, 1];
  };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walk.nextNode(); text; text = walk.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || node.closest("script, .plot") || !shown(node)) continue;
    const ratio = contrast(parts(getComputedStyle(node).color), ground(node));
    if (ratio < 4.5) say(node, `contrast ${ratio.toFixed(2)}`);
  }
  for (const label of all(".plot text")) {
    const on = label.closest(".plot").querySelector(".main-svg");
    if (label.closest(".hm, .heatmaplayer, .cbfill") || label.classList.contains("heatmap-label")) continue;
    const ratio = contrast(parts(getComputedStyle(label).fill), ground(on));
    if (ratio < 4.5) say(label, `contrast in a figure ${ratio.toFixed(2)}`);
  }
  return faults;
}
