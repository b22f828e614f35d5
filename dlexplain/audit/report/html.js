// The report's own script. Without it the page still reads whole: it draws figures, sorts, searches, and prepares print.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 68rem)");
  const touch = matchMedia("(pointer: coarse)").matches;
  const config = { displayModeBar: false, displaylogo: false, responsive: true, showLink: false, plotlyServerURL: "" };
  let printing = false;
  let store = null;

  async function unpacked(id) {
    const packed = document.getElementById(id).textContent;
    const bytes = Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }

  // Drawing code and figures, unpacked once. The page's rule knows the code by its hash.
  let arriving = null;
  function arrived() {
    arriving ??= (async () => {
      const [code, figures] = await Promise.all([unpacked("drawing-code"), unpacked("figures")]);
      const script = document.createElement("script");
      script.text = code;
      document.head.append(script);
      if (!window.Plotly) throw new Error("plotly.js did not run");
      store = JSON.parse(figures);
    })();
    return arriving;
  }

  const template = () => store.themes[dark.matches && !printing ? "dark" : "light"];
  const drawn = new Set();

  function draw(node) {
    const { data, layout } = store.figures[node.dataset.figure];
    const own = { ...layout, template: template() };
    if (touch) own.dragmode = false;
    if (node.clientWidth < 560) own.legend = { ...own.legend, orientation: "h", x: 0, xanchor: "left", y: -0.22, yanchor: "top" };
    drawn.add(node);
    try {
      window.Plotly.newPlot(node, data, own, config)
        .catch((error) => failed(node, error));
    } catch (error) {
      failed(node, error);
    }
  }

  function failed(node, error) {
    console.warn("A figure could not be drawn:", error);
    node.classList.add("failed");
    const values = node.closest("figure").querySelector(".values");
    if (values) values.open = true;
  }

  function whenNear(nodes) {
    const watch = new IntersectionObserver((seen) => {
      const near = seen.filter((one) => one.isIntersecting).map((one) => one.target);
      near.forEach((node) => watch.unobserve(node));
      if (near.length) arrived().then(() => near.filter((n) => !drawn.has(n)).forEach(draw), (error) => nodes.forEach((n) => failed(n, error)));
    }, { rootMargin: "600px" });
    nodes.forEach((node) => watch.observe(node));
    // Unpacked while the reader reads, so that a print has them at once.
    (window.requestIdleCallback || setTimeout)(() => arrived().catch(() => {}));
  }

  function retheme(size = {}) {
    for (const node of drawn) if (node._fullLayout) window.Plotly.relayout(node, { template: template(), ...size });
  }
  dark.addEventListener("change", () => retheme());

  // Print: everything open, every figure drawn, all of it light and as wide as the paper.
  const opened = [];
  addEventListener("beforeprint", () => {
    printing = true;
    for (const one of document.querySelectorAll("details:not([open]):not(.values)")) {
      one.open = true;
      opened.push(one);
    }
    root.classList.add("printing");
    if (!store) return;
    document.querySelectorAll(".plot").forEach((node) => drawn.has(node) || draw(node));
    for (const node of drawn) if (node._fullLayout) window.Plotly.relayout(node, { template: template(), width: node.clientWidth });
  });
  addEventListener("afterprint", () => {
    printing = false;
    opened.splice(0).forEach((one) => { one.open = false; });
    root.classList.remove("printing");
    if (store) retheme({ width: null, autosize: true });
  });

  function sortable(table) {
    const body = table.tBodies[0];
    if (body.rows.length < 3) return;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((one) => one.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => row.cells[column]?.dataset.value ?? row.cells[column]?.textContent ?? "";
        const order = (a, b) => key(a).localeCompare(key(b), "en", { numeric: true });
        const number = (row) => parseFloat(key(row).replace("−", "-"));
        const numbers = [...body.rows].every((row) => key(row) === "–" || !Number.isNaN(number(row)));
        const value = (row) => (Number.isNaN(number(row)) ? -Infinity : number(row));
        const rows = [...body.rows].sort(numbers ? (a, b) => value(a) - value(b) : order);
        body.append(...(down ? rows.reverse() : rows));
      });
    });
  }

  function searchable() {
    const form = document.querySelector(".filter");
    if (!form) return;
    const list = form.parentElement, search = form.querySelector("[type=search]"), none = list.querySelector(".none");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector(".search").hidden = false;
    const narrowed = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const status = form.elements.show.value;
      let left = 0;
      for (const row of list.querySelectorAll("tbody tr")) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        left += !row.hidden && (!status || row.dataset.status === status);
      }
      none.hidden = left > 0;
    };
    form.addEventListener("input", narrowed);
    // A count in the opening is a short way to its checks.
    document.querySelectorAll(".counts a").forEach((link) => link.addEventListener("click", () => {
      form.elements.show.value = link.dataset.show;
      narrowed();
    }));
  }

  function unfold() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target && target.querySelector(":scope > details:not(.values)");
    if (folded) folded.open = true;
  }

  function follow(nav) {
    const links = new Map([...nav.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
    const seen = new Set();
    const watch = new IntersectionObserver((changes) => {
      for (const one of changes) one.isIntersecting ? seen.add(one.target.id) : seen.delete(one.target.id);
      const here = [...links.keys()].find((id) => seen.has(id));
      links.forEach((link, id) => (id === here ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    }, { rootMargin: "-10% 0px -70% 0px" });
    links.forEach((_, id) => { const part = document.getElementById(id); if (part) watch.observe(part); });
  }

  addEventListener("DOMContentLoaded", () => {
    const nav = document.querySelector(".contents");
    const folding = nav.querySelector("details");
    const fold = () => { folding.open = !narrow.matches; };
    fold();
    narrow.addEventListener("change", fold);
    nav.addEventListener("click", (event) => { if (narrow.matches && event.target.closest("a")) folding.open = false; });
    follow(nav);
    document.querySelectorAll("table.sortable").forEach(sortable);
    searchable();
    unfold();
    addEventListener("hashchange", unfold);
    const plots = [...document.querySelectorAll(".plot")];
    if (plots.length) whenNear(plots);
  });
})();
