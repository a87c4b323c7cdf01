"use strict";
(function () {
  var speak = window.apportionLocale, page = window.apportionPage, root = document.documentElement.dataset.root;
  var LOOK = 150; // milliseconds between the first two looks at a job; the longer it takes, the longer between

  // --- charts -----------------------------------------------------------------------------------------------------
  function draw(part) {
    if (!window.Plotly) { return; }
    part.querySelectorAll("script.figure").forEach(function (source) {
      var figure = speak.figure(JSON.parse(source.textContent)), place = part.querySelector("#" + CSS.escape(source.dataset.chart));
      figure.layout.separators = speak.separators;
      Plotly.newPlot(place, figure.data, figure.layout, { responsive: true, displayModeBar: false }).then(function () {
        return Plotly.relayout(place, page.theme());
      });
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () {
    document.querySelectorAll(".js-plotly-plot").forEach(function (place) { Plotly.relayout(place, page.theme()); });
  });

  // --- parts of the page that are asked for -------------------------------------------------------------------------
  // quiet: nobody pressed a button for it, so that the focus stays where somebody is at work
  function show(place, html, quiet) {
    place.innerHTML = html; // the console's own templates, which escape every text that is data
    ready(place);
    if (quiet) { return; }
    var head = place.querySelector(".result, .faults, .done");
    (head && head.tabIndex >= -1 && head.hasAttribute("tabindex") ? head : place).focus({ preventScroll: true });
    place.scrollIntoView({ block: "nearest" });
  }
  function element(name, classes, text) {
    var made = document.createElement(name);
    if (classes) { made.className = classes; }
    if (text) { made.textContent = text; }
    return made;
  }
  function post(address, fields) {
    return fetch(address, { method: "POST", body: fields || new URLSearchParams(), headers: { "X-Apportion": "console" } });
  }
  function lost(place) {
    show(place, "");
    place.append(element("p", "fault", "The console does not answer. Is it still running? Start it again, then reload this page."));
  }
  function working(place, job) {
    var box = element("div", "working"), step = element("p", "step", "Waiting for its turn"), bar = document.createElement("progress");
    var solve = element("p", "solve"), note = element("p", "small"), seconds = element("span", "seconds", "0"), stop = element("button", "", "Cancel");
    step.setAttribute("role", "status");
    bar.setAttribute("aria-label", "How far it is");
    stop.type = "button";
    stop.addEventListener("click", function () { stop.disabled = true; post(root + "/jobs/" + job + "/cancel"); });
    box.addEventListener("keydown", function (event) { if (event.key === "Escape") { stop.click(); } });
    note.append(seconds, " s ");
    box.append(step, bar, solve, note, stop);
    place.replaceChildren(box);
    return parts(box);
  }
  function parts(box) {
    var found = {};
    ["step", "solve", "seconds"].forEach(function (name) { found[name] = box.querySelector("." + name); });
    found.bar = box.querySelector("progress");
    return found;
  }
  // a solve as it goes: what is found, what no plan can exceed, and how far apart the two are
  function solving(state) {
    if (!state) { return ""; }
    var found = state.objective === null ? "no plan yet" : "best plan so far " + speak.money(state.objective);
    var bound = state.bound === null ? "" : " · no plan is worth more than " + speak.money(state.bound);
    return found + bound + (state.gap === null ? "" : " · gap " + speak.percent(state.gap));
  }
  function tell(parts, state) {
    parts.solve.textContent = solving(state.solve);
    parts.solve.hidden = !state.solve;
    if (parts.step.textContent !== state.step) { parts.step.textContent = state.step; }
    if (state.of && state.number) { parts.bar.max = state.of; parts.bar.value = state.number; }
    parts.seconds.textContent = speak.seconds(state.seconds);
  }
  function follow(job, parts, ended, place) {
    if (place && place.dataset.job !== job) { return; } // a newer question took its place
    fetch(root + "/jobs/" + job).then(function (answer) {
      if (answer.status === 401) { location.reload(); } // signed out meanwhile: the page leads to the sign-in, and back
      return answer.json();
    }).then(function (state) {
      tell(parts, state);
      if (state.state === "waiting" || state.state === "running") {
        setTimeout(function () { follow(job, parts, ended, place); }, Math.min(4 * LOOK, LOOK + 100 * state.seconds));
      } else {
        ended();
      }
    }).catch(function () { if (place) { lost(place); } });
  }
  function answer(place, job, quiet) {
    place.dataset.job = job;
    place.setAttribute("aria-busy", "true");
    follow(job, working(place, job), function () {
      fetch(root + "/jobs/" + job + "/answer").then(function (part) { return part.text(); }).then(function (html) {
        if (place.dataset.job !== job) { return; }
        place.removeAttribute("aria-busy");
        show(place, html, quiet);
      }).catch(function () { lost(place); });
    }, place);
  }
  function ask(form, button, quiet) {
    var place = document.getElementById((button && button.dataset.target) || form.dataset.ask);
    var address = button && button.hasAttribute("formaction") ? button.formAction : form.action;
    var fields = new URLSearchParams();
    if (button && "alone" in button.dataset) {
      fields.append(button.name, button.value);
    } else {
      new FormData(form).forEach(function (value, name) { if (typeof value === "string") { fields.append(name, value); } });
    }
    return post(address, fields).then(function (reply) {
      if ((reply.headers.get("content-type") || "").startsWith("application/json")) {
        return reply.json().then(function (told) {
          if (told.go) { location.assign(told.go); return; }
          var here = new URL(location.href);
          here.search = "?job=" + told.job;
          history.replaceState(null, "", here);
          answer(place, told.job, quiet);
        });
      }
      return reply.text().then(function (html) {
        delete place.dataset.job;
        if ((reply.headers.get("content-type") || "").startsWith("text/html")) { show(place, html, quiet); } else { place.textContent = html; }
      });
    }).catch(function () { lost(place); });
  }
  function asks(form) {
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var button = event.submitter;
      if (button && button.dataset.sure && !confirm(button.dataset.sure)) { return; }
      ask(form, button, "quiet" in form.dataset);
      delete form.dataset.quiet;
    });
  }

  // --- the panel ----------------------------------------------------------------------------------------------------
  function stands(field) {
    var value = field.type === "checkbox" ? (field.checked ? field.value : "") : field.value.trim();
    return value === field.dataset.base;
  }
  function marks(panel) {
    var turned = 0;
    panel.querySelectorAll("details.group").forEach(function (group) {
      var own = 0;
      group.querySelectorAll("[data-base]").forEach(function (field) {
        var changed = !stands(field);
        field.closest(".knob, details").classList.toggle("changed", changed && field.closest(".knob") !== null);
        own += changed ? 1 : 0;
      });
      var place = group.querySelector(".turned");
      if (place) { place.textContent = own ? "● " + own + " changed" : ""; }
      turned += own;
    });
    var told = document.getElementById("changes"), words = turned ? turned + (turned === 1 ? " change" : " changes") : "No changes";
    if (told.textContent !== words) { told.textContent = words; }
  }
  function desk(panel) {
    var live = document.getElementById("live"), wait = null, go = panel.querySelector("button.go");
    function turned() {
      marks(panel);
      clearTimeout(wait);
      if (live.checked) { wait = setTimeout(function () { panel.dataset.quiet = ""; panel.requestSubmit(go); }, 500); }
    }
    panel.addEventListener("input", function (event) {
      var output = event.target.parentElement.querySelector("output");
      if (output) { output.textContent = event.target.value + "%"; }
      if (event.target.dataset.base !== undefined) { turned(); }
    });
    panel.addEventListener("keydown", function (event) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); panel.requestSubmit(go); }
    });
    panel.querySelectorAll("[data-rows]").forEach(function (input) {
      var rows = document.getElementById(input.dataset.rows);
      input.addEventListener("input", function () {
        rows.querySelectorAll(".row").forEach(function (row) { row.hidden = !page.holds(row.querySelector("legend"), input.value); });
      });
      input.addEventListener("keydown", function (event) { if (event.key === "Enter" && !event.ctrlKey) { event.preventDefault(); } });
    });
    marks(panel);
  }
  function takesFile(input) {
    input.addEventListener("change", function () {
      var file = input.files[0];
      if (file) { file.text().then(function (text) { document.getElementById(input.dataset.into).value = text; }); }
    });
  }

  function ready(part) {
    speak.apply(part);
    part.querySelectorAll("table.sortable").forEach(page.sortable);
    part.querySelectorAll("input[data-table]").forEach(function (input) { page.searchable(input, speak.count); });
    draw(part);
  }
  ready(document.body);
  document.querySelectorAll("form[data-ask]").forEach(asks);
  document.querySelectorAll("input[data-into]").forEach(takesFile);
  var panel = document.getElementById("panel");
  if (panel) { desk(panel); }
  document.querySelectorAll(".region[data-job]").forEach(function (place) { answer(place, place.dataset.job, true); });
  document.querySelectorAll(".working[data-then]").forEach(function (box) {
    follow(box.dataset.job, parts(box), function () { location.reload(); }, null);
  });
})();
