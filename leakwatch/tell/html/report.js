"use strict";
// Draws the charts with uPlot, sorts the table, switches the theme. All words and their numbers are in the page already;
// only what depends on where the reader points or zooms is written here.
(() => {
  const BRIDGE = 65534, GAP = 65535; // reduction.py: the line runs across an unknown value, or breaks there
  const root = document.documentElement;
  const ink = name => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

  // ---- theme: set before the first paint, so that nothing flashes ----
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => { try { return localStorage.getItem("leakwatch-theme"); } catch { return null; } };
  const remember = theme => { try { localStorage.setItem("leakwatch-theme", theme); } catch { /* a viewer without storage */ } };
  let traces = [];
  function setTheme(theme) {
    root.dataset.theme = theme;
    document.getElementById("theme")?.setAttribute("aria-pressed", String(theme === "dark"));
    for (const trace of traces) trace.redraw();
  }
  const preferred = () => remembered() ?? (systemDark.matches ? "dark" : "light");
  setTheme(preferred());
  systemDark.addEventListener("change", () => setTheme(preferred()));
  addEventListener("beforeprint", () => setTheme("light"));
  addEventListener("afterprint", () => setTheme(preferred()));

  // ---- data ----
  const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer;
  const times = ({start, step, codes}) => Array.from(new Uint32Array(bytes(codes)), code => start + step * code);
  const values = ({low, step, codes}) =>
    Array.from(new Uint16Array(bytes(codes)), code => (code === GAP ? null : code === BRIDGE ? undefined : low + step * code));

  // ---- writing numbers and times that depend on the cursor ----
  const shortNumber = value => value == null ? "" : value.toLocaleString("en", {maximumSignificantDigits: 4});
  const date = (seconds, dated) => !dated
    ? `${shortNumber(seconds)} s`
    : new Date(Math.round(seconds) * 1000).toISOString().slice(0, 19).replace("T", " ");
  const TIME_LABELS = [
    // smallest step, label, then what is added where the year, month, day, hour, minute, second changes
    [365 * 86400, "{YYYY}", null, null, null, null, null, null, 1],
    [28 * 86400, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
    [86400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
    [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
    [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
    [0.001, ":{ss}.{fff}", "\n{YYYY}-{MM}-{DD} {HH}:{mm}", null, "\n{YYYY}-{MM}-{DD} {HH}:{mm}", null, "\n{HH}:{mm}", null, 1],
  ];

  // ---- one trace: its charts share the time axis, the zoom and the cursor ----
  class TraceCharts {
    constructor(section, number, data) {
      this.section = section;
      this.limitInView = false;
      this.charts = [...section.querySelectorAll("figure.chart")].map(figure => this.chart(figure, number, data.panels[figure.dataset.panel], data.times));
      const ends = this.charts.flatMap(({plot}) => [plot.data[0][0], plot.data[0].at(-1)]);
      this.first = Math.min(...ends);
      this.last = Math.max(...ends);
      if (this.first === this.last) { this.first -= 1; this.last += 1; }
      const tools = section.querySelector(".tools");
      this.label = tools?.querySelector(".window");
      this.limitButton = tools?.querySelector("[data-zoom=limit]");
      tools?.addEventListener("click", event => this.zoom(event.target.dataset.zoom));
      this.showLimit(this.limitNear(data.panels[0]));
      this.window(this.first, this.last);
    }

    // The limit belongs into the picture where the level has come near it; far above, it would flatten everything.
    limitNear({limit, lines: [level]}) {
      return limit !== null && level.low + level.step * 65533 > limit / 2;
    }

    chart(figure, number, data, axes) {
      const place = figure.querySelector(".plot");
      const rows = [...figure.querySelectorAll(".lines tbody tr")];
      const clock = figure.querySelector(".cursor-time");
      const height = place.clientHeight;
      const plot = new uPlot({
        width: place.clientWidth, height,
        legend: {show: false},
        tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
        padding: [14, 8, 0, 0],
        cursor: {
          drag: {x: true, y: false, setScale: false},
          sync: {key: `trace-${number}`, filters: {pub: type => type === "mousemove" || type === "mouseleave"}},
          bind: {dblclick: () => () => this.zoom("all")},
          points: {size: 6},
          y: false,
        },
        scales: {x: {time: data.dated}, y: {range: (plot, low, high) => this.range(data, low, high)}},
        axes: [
          {space: 72, stroke: () => ink("muted"), grid: {stroke: () => ink("grid"), width: 1}, ticks: {stroke: () => ink("grid"), width: 1},
           font: "12px system-ui, sans-serif", values: data.dated ? TIME_LABELS : (plot, at) => at.map(seconds => date(seconds, false))},
          {stroke: () => ink("muted"), grid: {stroke: () => ink("grid"), width: 1}, ticks: {show: false}, size: 60,
           font: "12px system-ui, sans-serif", values: (plot, at) => at.map(shortNumber)},
        ],
        series: [{}, ...data.lines.map((line, i) => ({
          stroke: () => ink(line.ink),
          width: line.ink === "fitted" ? 2 : 1.25,
          dash: line.ink === "without" ? [6, 4] : undefined,
          points: {show: data.lines[i].codes.length < 200},
        }))],
        bands: data.leakBetween ? [{series: data.leakBetween.map(i => i + 1), fill: () => ink("leak-area")}] : [],
        hooks: {
          draw: [plot => this.marks(plot, data)],
          setSelect: [plot => this.selected(plot)],
          setCursor: [plot => this.readOff(plot, rows, clock, data.dated)],
        },
      }, [times(axes[data.time]), ...data.lines.map(values)], place);
      rows.forEach((row, i) => row.querySelector("button").addEventListener("click", event => {
        const shown = event.currentTarget.getAttribute("aria-pressed") !== "true";
        event.currentTarget.setAttribute("aria-pressed", String(shown));
        plot.setSeries(i + 1, {show: shown});
      }));
      place.addEventListener("keydown", event => this.key(event, plot, figure));
      new ResizeObserver(() => {
        if (place.clientWidth > 0) plot.setSize({width: place.clientWidth, height: place.clientHeight});
      }).observe(place);
      return {plot, data};
    }

    range(data, low, high) {
      if (low === null || high === null) return [0, 1];
      if (this.limitInView && data.limit !== null) high = Math.max(high, data.limit);
      const room = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
      return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
    }

    marks(plot, {marks, limit, limitLabel}) {
      const {ctx, bbox: {left, top, width, height}} = plot;
      const pixel = devicePixelRatio;
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, 0, width, top + height);
      ctx.clip();
      ctx.font = `${12 * pixel}px system-ui, sans-serif`;
      ctx.lineWidth = 1.5 * pixel;
      ctx.textAlign = "left";
      const end = limit === null ? left + width : left + width - ctx.measureText(`${limitLabel} ↑ `).width;
      let free = left; // labels that would lie on each other are left out; the lines stay
      for (const {at, label, ink: name} of [...marks].sort((a, b) => a.at - b.at)) {
        const x = plot.valToPos(at, "x", true);
        if (x < left || x > left + width) continue;
        ctx.strokeStyle = ctx.fillStyle = ink(name);
        ctx.setLineDash([5 * pixel, 4 * pixel]);
        ctx.beginPath();
        ctx.moveTo(x, top);
        ctx.lineTo(x, top + height);
        ctx.stroke();
        const wide = ctx.measureText(label).width;
        const start = Math.min(Math.max(x - wide / 2, left), left + width - wide);
        if (start < free || start + wide > end) continue;
        ctx.fillText(label, start, top - 4 * pixel);
        free = start + wide + 6 * pixel;
      }
      if (limit !== null) {
        const y = plot.valToPos(limit, "y", true);
        const above = y < top;
        ctx.strokeStyle = ctx.fillStyle = ink("limit");
        ctx.setLineDash([]);
        ctx.textAlign = above ? "right" : "left";
        if (!above && y <= top + height) {
          ctx.beginPath();
          ctx.moveTo(left, y);
          ctx.lineTo(left + width, y);
          ctx.stroke();
        }
        if (above) ctx.fillText(`${limitLabel} ↑`, left + width, top - 4 * pixel);
        else ctx.fillText(limitLabel, left + 6 * pixel, y + 15 * pixel); // a leak comes near it on the right
      }
      ctx.restore();
    }

    readOff(plot, rows, clock, dated) {
      const {idx, left} = plot.cursor;
      const away = idx == null || left < 0;
      clock.textContent = away ? "" : date(plot.data[0][idx], dated);
      rows.forEach((row, i) => { row.querySelector(".cursor").textContent = away ? "" : shortNumber(plot.data[i + 1][idx]); });
    }

    selected(plot) {
      const {left, width} = plot.select;
      if (width < 4) return;
      const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
      plot.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
      this.window(from, to);
    }

    zoom(how) {
      const span = this.to - this.from, middle = (this.from + this.to) / 2;
      if (how === "in") this.window(middle - span / 4, middle + span / 4);
      if (how === "out") this.window(middle - span, middle + span);
      if (how === "left") this.window(this.from - span / 2, this.to - span / 2);
      if (how === "right") this.window(this.from + span / 2, this.to + span / 2);
      if (how === "all") this.window(this.first, this.last);
      if (how === "limit") this.showLimit(!this.limitInView);
    }

    window(from, to) {
      const whole = this.last - this.first;
      const span = Math.min(Math.max(to - from, whole * 1e-6), whole);
      this.from = Math.min(Math.max(from, this.first), this.last - span);
      this.to = this.from + span;
      for (const {plot} of this.charts) plot.setScale("x", {min: this.from, max: this.to});
      const {dated} = this.charts[0].data;
      if (this.label) this.label.textContent = span < whole ? `${date(this.from, dated)} to ${date(this.to, dated)}` : "";
    }

    showLimit(shown) {
      this.limitInView = shown;
      this.limitButton?.setAttribute("aria-pressed", String(shown));
      if (this.from !== undefined) this.window(this.from, this.to);
    }

    key(event, plot, figure) {
      const how = {"+": "in", "=": "in", "-": "out", "0": "all"}[event.key];
      const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey || (!how && !step)) return;
      event.preventDefault();
      if (how) return this.zoom(how);
      if (event.shiftKey) return this.zoom(step < 0 ? "left" : "right");
      const width = plot.over.clientWidth, at = plot.cursor.left < 0 ? width / 2 : plot.cursor.left;
      const left = Math.min(Math.max(at + step * Math.max(1, width / 200), 0), width - 1);
      plot.setCursor({left, top: plot.over.clientHeight / 2});
      figure.querySelector(".spoken").textContent = [figure.querySelector(".cursor-time"), ...figure.querySelectorAll("tbody tr")]
        .map(part => part.matches("tr") ? `${part.cells[0].textContent} ${part.cells[1].textContent || "unknown"}` : part.textContent)
        .join(", ");
    }

    redraw() { for (const {plot} of this.charts) plot.redraw(); }
  }

  // ---- the table ----
  function sortBy(table, column, header) {
    const descending = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const numeric = column === 0 || header.classList.contains("number");
    const body = table.tBodies[0];
    const rows = [...body.rows].map(row => ({row, value: row.cells[column].dataset.value}));
    rows.sort((a, b) => {
      if ((a.value === "") !== (b.value === "")) return a.value === "" ? 1 : -1; // unknown stays last, either way
      const order = numeric ? a.value - b.value : a.value.localeCompare(b.value, "en", {numeric: true});
      return descending ? -order : order;
    });
    body.append(...rows.map(({row}) => row));
  }

  function openNamed() {
    const section = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (section instanceof HTMLDetailsElement) {
      section.open = true;
      section.scrollIntoView();
      section.querySelector("summary").focus({preventScroll: true});
    }
  }

  addEventListener("DOMContentLoaded", () => {
    const {charts} = JSON.parse(document.getElementById("data").textContent);
    setTheme(root.dataset.theme);
    document.getElementById("theme").addEventListener("click", () => {
      const theme = root.dataset.theme === "dark" ? "light" : "dark";
      remember(theme);
      setTheme(theme);
    });
    const table = document.getElementById("summary");
    table?.querySelectorAll("thead th").forEach((header, column) =>
      header.querySelector("button")?.addEventListener("click", () => sortBy(table, column, header)));
    const sections = [...document.querySelectorAll("details.trace")];
    const drawn = new Set();
    const draw = (section, number) => {
      if (!section.open || drawn.has(section) || charts[number].panels.length === 0) return;
      drawn.add(section);
      traces.push(new TraceCharts(section, number, charts[number]));
    };
    sections.forEach((section, number) => {
      section.addEventListener("toggle", () => draw(section, number));
      draw(section, number);
    });
    document.getElementById("open-all")?.addEventListener("click", () => { for (const section of sections) section.open = true; });
    document.addEventListener("click", event => {
      if (event.target.closest?.('a[href^="#trace-"]')?.getAttribute("href") === location.hash) openNamed();
    });
    addEventListener("hashchange", openNamed);
    openNamed();
  });
})();
