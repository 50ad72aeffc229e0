// A plotly figure that a reader points at, chooses from and turns. See plot.py for what Python sends.

// What can be done without a network; plotly's own list would offer to upload the data.
const BUTTONS_IN_PLANE = ["lasso2d", "select2d", "zoom2d", "pan2d", "resetScale2d"];
const BUTTONS_IN_SPACE = ["orbitRotation", "zoom3d", "pan3d", "resetCameraLastSave3d"];

// Five megabytes are evaluated once for a page, and not before a figure is to be seen.
async function loadPlotly(model) {
  globalThis.mmdlPlotly ??= (async () => {
    const library = await model.widget_manager.get_model(model.get("library").replace("IPY_MODEL_", ""));
    const module = { exports: {} };
    new Function("module", "exports", "define", library.get("source"))(module, module.exports, undefined);
    return module.exports.newPlot ? module.exports : globalThis.Plotly;
  })();
  return globalThis.mmdlPlotly;
}

function put(target, path, value) {
  const names = path.split(".");
  const last = names.pop();
  for (const name of names) target = target[name] ??= {};
  target[last] = value;
}

function change(figure, { data = {}, layout = {} }) {
  for (const [index, paths] of Object.entries(data))
    for (const [path, value] of Object.entries(paths)) put(figure.data[index], path, value);
  for (const [path, value] of Object.entries(layout)) put(figure.layout, path, value);
}

function withoutWebGL(figure) {
  const canvas = document.createElement("canvas");
  if (canvas.getContext("webgl2") ?? canvas.getContext("webgl")) return figure;
  for (const trace of figure.data) if (trace.type === "scattergl") trace.type = "scatter";
  return figure;
}

// A page has sixteen drawing surfaces of this kind at most, and a view takes up to three: they are given back at once.
function giveBack(plot) {
  for (const canvas of plot.querySelectorAll("canvas"))
    (canvas.getContext("webgl2") ?? canvas.getContext("webgl"))?.getExtension("WEBGL_lose_context")?.loseContext();
}

export default () => {
  let figure;
  return {
    initialize({ model }) {
      // Changes that come before the figure is seen, or while plotly loads, must not be lost.
      figure = structuredClone(model.get("figure"));
      model.on("msg:custom", (message) => change(figure, message));
    },

    async render({ model, el }) {
      el.setAttribute("role", "group");
      Object.assign(el.style, { maxWidth: "100%", overflowX: "auto" }); // in a narrow window it scrolls
      const describe = () => el.setAttribute("aria-label", model.get("alt"));
      describe();
      model.on("change:alt", describe);
      const Plotly = await loadPlotly(model);
      let shown = withoutWebGL(structuredClone(figure)); // data and layout, as the reader left them
      el.style.minHeight = `${shown.layout.height}px`; // the page does not jump when the plot comes and goes
      const buttons = "scene" in shown.layout ? BUTTONS_IN_SPACE : BUTTONS_IN_PLANE;
      const config = { displaylogo: false, displayModeBar: true, modeBarButtons: [buttons] };
      let plot; // there only while it is in view

      // While a drawing is under way, or the reader's hand is at work, changes wait and are then drawn together.
      let drawing = false;
      let held = false;
      let waiting = false;
      const redraw = async () => {
        if (drawing || held || !plot) {
          waiting = true;
          return;
        }
        drawing = true;
        do {
          waiting = false;
          await Plotly.react(plot, plot.data, plot.layout, config);
        } while (waiting && !held);
        drawing = false;
        settle();
      };
      const release = () => {
        held = false;
        if (waiting) redraw();
      };
      window.addEventListener("pointerup", release);
      window.addEventListener("pointercancel", release);
      const follow = (message) => {
        change(shown, message);
        redraw();
      };
      model.on("msg:custom", follow);

      const numbers = (event) =>
        (event?.points ?? []).filter((point) => point.curveNumber === 0).map((point) => point.pointNumber);
      const report = (name) => (event) => {
        if (drawing) return; // our own change, and nobody's hand
        const points = numbers(event);
        if (points.length || name === "select") model.send({ event: name, points });
      };

      const draw = async () => {
        drawing = true;
        waiting = false;
        const made = document.createElement("div");
        el.append(made);
        await Plotly.newPlot(made, shown.data, shown.layout, config);
        plot = shown = made; // it has data and layout, and what the reader's hand changes in them
        made.addEventListener("pointerdown", () => (held = true));
        made.on("plotly_hover", report("hover"));
        made.on("plotly_click", report("click"));
        made.on("plotly_selected", report("select"));
        made.on("plotly_deselect", report("select"));
        drawing = false;
        if (waiting) redraw();
      };
      const erase = () => {
        shown = { data: plot.data, layout: plot.layout };
        giveBack(plot);
        Plotly.purge(plot);
        plot.remove();
        plot = undefined;
      };
      let inView = false;
      const settle = async () => {
        if (drawing || inView === Boolean(plot)) return;
        if (inView) await draw();
        else erase();
        settle(); // the page may have been scrolled meanwhile
      };
      const watch = new IntersectionObserver((entries) => {
        inView = entries.at(-1).isIntersecting;
        settle();
      });
      watch.observe(el);
      return () => {
        watch.disconnect();
        model.off("msg:custom", follow);
        model.off("change:alt", describe);
        window.removeEventListener("pointerup", release);
        window.removeEventListener("pointercancel", release);
        inView = false;
        if (plot) erase();
      };
    },
  };
};
