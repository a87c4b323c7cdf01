"use strict";
(function () {
  var page = window.apportionPage;
  var drawn = [];
  document.querySelectorAll("script.figure").forEach(function (source) {
    var figure = JSON.parse(source.textContent), place = document.getElementById(source.dataset.chart);
    Plotly.newPlot(place, figure.data, figure.layout, { responsive: true, displayModeBar: false }).then(function () {
      drawn.push(place);
      return Plotly.relayout(place, page.theme());
    });
  });
  function repaint(more) {
    drawn.forEach(function (place) { Plotly.relayout(place, Object.assign(page.theme(), more)); });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { repaint({}); });
  window.addEventListener("beforeprint", function () {
    repaint({
      "font.color": "#000", "xaxis.gridcolor": "#bbb", "xaxis.linecolor": "#bbb", "yaxis.linecolor": "#bbb",
      "xaxis.tickcolor": "#bbb", "yaxis.tickcolor": "#bbb", "yaxis.gridcolor": "#bbb", "xaxis.zerolinecolor": "#bbb",
      autosize: false, width: 640
    });
  });
  window.addEventListener("afterprint", function () { repaint({ autosize: true, width: null }); });

  document.querySelectorAll("table.sortable").forEach(page.sortable);
  document.querySelectorAll("input[data-table]").forEach(function (input) { page.searchable(input, String); });
})();
