"use strict";
// What the reports and the console do alike: the charts' colours, tables that sort, rows that are found.
window.apportionPage = (function () {
  function theme() {
    var style = getComputedStyle(document.documentElement);
    var ink = style.getPropertyValue("--ink").trim(), line = style.getPropertyValue("--line").trim();
    return {
      "font.color": ink, "font.family": getComputedStyle(document.body).fontFamily, "xaxis.gridcolor": line,
      "xaxis.zerolinecolor": line, "xaxis.linecolor": line, "yaxis.linecolor": line, "yaxis.gridcolor": line,
      "xaxis.tickcolor": line, "yaxis.tickcolor": line
    };
  }
  function keyOf(row, column) {
    var cell = row.cells[column];
    return cell.dataset.key === undefined ? cell.textContent : parseFloat(cell.dataset.key);
  }
  var words = new Intl.Collator(undefined, { numeric: true });
  function sortable(table) {
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
  }
  function holds(element, text) {
    var wanted = text.toLowerCase().split(/\s+/).filter(Boolean), own = element.textContent.toLowerCase();
    return wanted.every(function (word) { return own.includes(word); });
  }
  // count: how a number of rows is written
  function searchable(input, count) {
    var table = document.getElementById(input.dataset.table), found = document.getElementById(input.dataset.table + "-found");
    input.addEventListener("input", function () {
      var rows = Array.from(table.tBodies[0].rows);
      rows.forEach(function (row) { row.hidden = !holds(row, input.value); });
      var shown = rows.filter(function (row) { return !row.hidden; }).length;
      found.textContent = count(shown) + " of " + count(rows.length) + " rows";
    });
  }
  return { theme: theme, sortable: sortable, holds: holds, searchable: searchable };
})();
