// Replaces each SVG chart by its plotly figure, in the page's colours for light or dark.
function draw(figures) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  for (const { key, data, layout } of figures) {
    const place = document.getElementById("plot-" + key);
    place.replaceChildren();
    for (const trace of data) {
      const own = trace.colour < 0 ? colour("--cut") : colour("--c" + trace.colour);
      if (trace.line) trace.line.color = own;
      if (trace.fill) trace.fillcolor = own + "55";
      trace.marker = { color: own, size: trace.size || 10 };
      delete trace.size;
      delete trace.colour;
    }
    for (const shape of layout.shapes || []) shape.line.color = colour("--cut");
    for (const axis of [layout.xaxis, layout.yaxis]) {
      Object.assign(axis, { gridcolor: colour("--line"), zeroline: false, automargin: true });
    }
    Object.assign(layout, {
      font: { color: colour("--text"), family: "system-ui, sans-serif", size: 12 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 50, r: 10, t: 10, b: 40 },
      height: 280,
      showlegend: false,
    });
    Plotly.newPlot(place, data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
  }
}
