// Draws a figure of dlexplain where its page lies, and gives it its alternative text and the page's theme.
// No network: plotly.js is there already (JupyterLab, VS Code), or lies in the page as deflated base64.
(function () {
  if (window.dlexplainFigures && !Array.isArray(window.dlexplainFigures)) return;
  const dark = /*DARK*/null;
  const drawn = new Set();
  const lights = new WeakMap();

  async function inflate(base64) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).text();
  }

  let arrived;
  const library = new Promise((resolve) => { arrived = resolve; });

  // The page's own word first: a notebook's theme may differ from the system's.
  function isDark() {
    const said = document.body.dataset.jpThemeLight;
    if (said !== undefined) return said === "false";
    if (document.body.dataset.vscodeThemeKind) return document.body.dataset.vscodeThemeKind.includes("dark");
    return document.body.classList.contains("dlexplain-page") && matchMedia("(prefers-color-scheme: dark)").matches;
  }

  function turn(graph) {
    const meta = graph.layout && graph.layout.meta && graph.layout.meta.dlexplain;
    if (!window.Plotly || !graph._fullLayout || !meta || meta.theme !== "auto") return;
    const wanted = isDark() ? "dark" : "light";
    if ((graph.dataset.dlexplainTheme || "light") === wanted) return;
    graph.dataset.dlexplainTheme = wanted;
    // JupyterLab's output takes its height from the drawing, which plotly.js makes as high as the output: break the circle.
    graph.style.height = graph._fullLayout.height + "px";
    lights.has(graph) || lights.set(graph, graph.layout.template);
    window.Plotly.relayout(graph, { template: wanted === "dark" ? dark : lights.get(graph) });
  }

  // The width of a line of text, whose signs Plotly takes as HTML's.
  const pen = document.createElement("canvas").getContext("2d");
  const signs = { "&lt;": "<", "&gt;": ">", "&#36;": "$", "&#37;": "%", "&amp;": "&" };
  const wide = (text) => pen.measureText(text.replace(/&(lt|gt|#36|#37|amp);/g, (sign) => signs[sign])).width;

  function broken(sentence, width) {
    const lines = [];
    for (const word of sentence.split(" ")) {
      const longer = lines.length ? lines[lines.length - 1] + " " + word : word;
      if (lines.length && wide(longer) <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  }

  // Facts and warnings were broken for a figure of middling width: breaks them for this one's, and gives or
  // takes the height. A text that its author has changed since stays.
  function fit(graph) {
    const layout = graph.layout, said = layout && layout.meta && layout.meta.dlexplain;
    if (!window.Plotly || !graph._fullLayout || !said || !said.facts) return;
    const width = layout.width || graph.clientWidth;
    if (width < 160) return;
    const font = layout.template && layout.template.layout && layout.template.layout.font;
    pen.font = "12px " + ((font && font.family) || "sans-serif");
    const change = {};
    let more = 0;
    const place = (key, now, sentences, room) => {
      const made = sentences.flatMap((sentence) => broken(sentence, room)), text = made.join("<br>");
      const bare = (words) => words.replace(/<br>| /g, "");
      if (!now || text === now || bare(text) !== bare(now)) return;
      more += made.length - now.split("<br>").length;
      change[key] = text;
    };
    const subtitle = layout.title && layout.title.subtitle;
    place("title.subtitle.text", subtitle && subtitle.text, said.facts, width - 40);
    (layout.annotations || []).forEach((note, i) => {
      if (note.name !== "warning") return;
      place(`annotations[${i}].text`, note.text, said.warnings, width - graph._fullLayout._size.l - 28);
    });
    if (!Object.keys(change).length) return;
    if (more) {
      change["margin.t"] = layout.margin.t + 17 * more;
      // Not by relayout: a height given there would fix the width too. After a resize plotly.js knows only the page's.
      layout.height = graph._fullLayout.height + 17 * more;
      graph.style.height = layout.height + "px";
    }
    window.Plotly.relayout(graph, change);
  }
  const sizes = new ResizeObserver((seen) => requestAnimationFrame(() => seen.forEach((one) => fit(one.target))));

  function name(node, alt) {
    node.setAttribute("role", "figure");
    node.setAttribute("aria-label", alt);
    node.setAttribute("tabindex", "0");
  }

  function turnAll() {
    for (const graph of drawn) graph.isConnected ? turn(graph) : drawn.delete(graph);
  }
  new MutationObserver(turnAll).observe(document.body, {
    attributes: true, attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"],
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", turnAll);

  const figures = {
    // Brings plotly.js into a page that has none.
    async carry(base64) {
      if (window.Plotly) return arrived();
      const script = document.createElement("script");
      script.text = await inflate(base64);
      document.head.appendChild(script);
      arrived();
    },

    // Draws a figure that came as HTML.
    async draw(id, base64) {
      if (window.Plotly) arrived();
      await library;
      const node = document.getElementById(id);
      if (!node || node._fullLayout) return;
      const { data, layout, config } = JSON.parse(await inflate(base64));
      node.replaceChildren();
      if (layout.meta.dlexplain && layout.meta.dlexplain.theme === "auto" && isDark()) {
        lights.set(node, layout.template);
        layout.template = dark;
        node.dataset.dlexplainTheme = "dark";
      }
      await window.Plotly.newPlot(node, data, layout, config);
      drawn.add(node);
      sizes.observe(node);
    },

    // A piece of HTML asks before this code is there: [task, ...arguments].
    push([task, ...given]) {
      figures[task](...given).catch((error) => console.error("dlexplain figures:", error));
    },

    // Names the figure that JupyterLab or VS Code drew just before this script's own output.
    describe(script, alt) {
      const output = script && script.closest(".jp-OutputArea-child, .output_container, .output");
      if (!output) return;
      if (output.classList.contains("jp-OutputArea-child")) output.style.display = "none";
      const before = output.previousElementSibling;
      let tries = 0;
      const timer = setInterval(() => {
        const graph = before && before.querySelector(".jp-RenderedPlotly, .js-plotly-plot");
        if (graph) {
          name(graph, alt);
          drawn.add(graph);
          turn(graph);
          if (graph._fullLayout) sizes.observe(graph);
          // A saved notebook opens with a picture in the theme that it was drawn in: have it drawn anew.
          const picture = graph.querySelector("img.plot-img");
          if (!graph._fullLayout && picture && isDark() && tries === 5) {
            picture.dispatchEvent(new MouseEvent("mouseenter"));
          }
        }
        if ((graph && graph._fullLayout) || ++tries > 150) clearInterval(timer);
      }, 200);
    },
  };
  const waiting = window.dlexplainFigures || [];
  window.dlexplainFigures = figures;
  waiting.forEach(figures.push);
})();
