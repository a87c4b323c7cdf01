"use strict";
(function () {
  function colours() {
    var style = getComputedStyle(document.documentElement);
    return { ink: style.getPropertyValue("--ink").trim(), line: style.getPropertyValue("--line").trim() };
  }
  function theme() {
    var c = colours();
    return {
      "font.color": c.ink, "font.family": getComputedStyle(document.body).fontFamily, "xaxis.gridcolor": c.line,
      "xaxis.linecolor": c.line, "yaxis.linecolor": c.line, "xaxis.tickcolor": c.line, "yaxis.tickcolor": c.line
    };
  }
  var drawn = [];
  document.querySelectorAll("script.figure").forEach(function (source) {
    var figure = JSON.parse(source.textContent), place = document.getElementById(source.dataset.chart);
    Plotly.newPlot(place, figure.data, figure.layout, { responsive: true, displayModeBar: false }).then(function () {
      drawn.push(place);
      return Plotly.relayout(place, theme());
    });
  });
  function repaint(more) {
    drawn.forEach(function (place) { Plotly.relayout(place, Object.assign(theme(), more)); });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { repaint({}); });
  window.addEventListener("beforeprint", function () {
    repaint({
      "font.color": "#000", "xaxis.gridcolor": "#bbb", "xaxis.linecolor": "#bbb", "yaxis.linecolor": "#bbb",
      "xaxis.tickcolor": "#bbb", "yaxis.tickcolor": "#bbb", autosize: false, width: 640
    });
  });
  window.addEventListener("afterprint", function () { repaint({ autosize: true, width: null }); });

  function keyOf(row, column) {
    var cell = row.cells[column];
    return cell.dataset.key === undefined ? cell.textContent : parseFloat(cell.dataset.key);
  }
  var words = new Intl.Collator(undefined, { numeric: true });
  document.querySelectorAll("table.sortable").forEach(function (table) {
    var heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      head.querySelector("button").addEventListener("click", function () {
        var up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        var body = table.tBodies[0], rows = Array.from(body.rows);
        rows.sort(function (a, b) {
          var x = keyOf(a, column), y = keyOf(b, column);
          var order = typeof x === "number" && typeof y === "number" ? x - y : words.compare(String(x), String(y));
          return up ? order : -order;
        });
        body.append.apply(body, rows);
      });
    });
  });
  document.querySelectorAll("input[data-table]").forEach(function (input) {
    var table = document.getElementById(input.dataset.table), found = document.getElementById(input.dataset.table + "-found");
    input.addEventListener("input", function () {
      var wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
      Array.from(table.tBodies[0].rows).forEach(function (row) {
        var text = row.textContent.toLowerCase();
        row.hidden = !wanted.every(function (word) { return text.includes(word); });
        shown += row.hidden ? 0 : 1;
      });
      found.textContent = shown + " of " + table.tBodies[0].rows.length + " rows";
    });
  });
})();
