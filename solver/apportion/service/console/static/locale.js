"use strict";
// Numbers, money and dates as the reader's own browser writes them. The page is complete without it.
window.apportionLocale = (function () {
  var places = navigator.languages && navigator.languages.length ? navigator.languages : undefined;
  var currency = document.documentElement.dataset.currency;
  var number = "(\\d{1,3}(?:,\\d{3})+(?:\\.\\d+)?|\\d+(?:\\.\\d+)?)";
  var money = currency ? new RegExp(number + " " + currency + "\\b", "g") : null;
  var percent = new RegExp(number + "[ \\u00a0]?%", "g");
  var grouped = /(?<![\w.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w,])/g;
  var bare = /^([+−-]?)(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)( s)?$/;

  function said(text, options) {
    var plain = text.replace(/,/g, ""), digits = (plain.split(".")[1] || "").length;
    var more = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    var amount = options && options.style === "percent" ? Number(plain) / 100 : Number(plain);
    return new Intl.NumberFormat(places, Object.assign(more, options)).format(amount);
  }
  var STAYS = "\u2060"; // a sign stays with its amount
  function words(text) {
    if (money) {
      text = text.replace(money, function (_, amount, at, whole) {
        var sign = at > 0 && "+−-".includes(whole[at - 1]);
        return (sign ? STAYS : "") + said(amount, { style: "currency", currency: currency });
      });
    }
    text = text.replace(percent, function (_, amount) { return said(amount, { style: "percent" }); });
    return text.replace(grouped, function (amount) { return said(amount); });
  }
  // a cell that is nothing but a number; in sentences only what cannot be mistaken for an id
  function cell(text) {
    var whole = bare.exec(text.trim());
    return whole ? whole[1].replace("-", "−") + said(whole[2]) + (whole[3] || "") : words(text.replace(/^(\s*)-(?=\d)/, "$1−"));
  }
  function figure(value) {
    if (typeof value === "string") { return words(value); }
    if (Array.isArray(value)) { return value.map(figure); }
    if (value && typeof value === "object") {
      Object.keys(value).forEach(function (key) { value[key] = figure(value[key]); });
    }
    return value;
  }
  function sentences(root) {
    var walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT, function (node) {
      var skip = node.parentElement.closest(".raw, a, script, style, textarea, code, option");
      return skip || !/\d/.test(node.data) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT;
    });
    var nodes = [];
    while (walker.nextNode()) { nodes.push(walker.currentNode); }
    nodes.forEach(function (node) {
      var alone = node.parentElement.matches("td.n, strong, .tiles span");
      var text = alone ? cell(node.data) : words(node.data);
      if (text !== node.data) { node.data = text; }
    });
  }
  function dates(root) {
    root.querySelectorAll("time[datetime]").forEach(function (place) {
      var moment = new Date(place.dateTime);
      if (!isNaN(moment)) {
        place.textContent = new Intl.DateTimeFormat(places, { dateStyle: "medium", timeStyle: "short" }).format(moment);
        place.title = place.dateTime;
      }
    });
  }
  function separators() {
    var parts = new Intl.NumberFormat(places).formatToParts(12345.6);
    function of(type) { var found = parts.find(function (part) { return part.type === type; }); return found ? found.value : ""; }
    return of("decimal") + (of("group") || " ");
  }
  return {
    apply: function (root) { sentences(root); dates(root); },
    figure: figure,
    separators: separators(),
    money: function (amount) {
      var digits = Math.abs(amount) < 10 ? 2 : 0, style = currency ? { style: "currency", currency: currency } : {};
      var more = { minimumFractionDigits: digits, maximumFractionDigits: digits };
      return new Intl.NumberFormat(places, Object.assign(more, style)).format(amount);
    },
    percent: function (part) {
      return new Intl.NumberFormat(places, { style: "percent", maximumSignificantDigits: 2 }).format(part);
    },
    count: function (amount) { return new Intl.NumberFormat(places).format(amount); },
    seconds: function (amount) { return said(Number(amount).toFixed(1)); }
  };
})();
