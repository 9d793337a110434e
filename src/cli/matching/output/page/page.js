"use strict";
(() => {
  // The order of what a row and an indicator hold.
  const INDICATOR = 0, PATH = 1, LINE = 2, TIME = 3, TYPE = 4, VALUE = 5, RELATION = 6, FIELD = 7, BEFORE = 8, SEEN = 9, BEHIND = 10;
  const ID = 0, NAME = 1;
  const PAGE = 100;

  const data = JSON.parse(document.getElementById("data").textContent);
  document.getElementById("data").remove();
  const { rows, indicators, paths, fields } = data;
  const indicatorName = (row) => indicators[row[INDICATOR]][NAME] || indicators[row[INDICATOR]][ID];
  const fieldName = (row) => (row[FIELD] === null ? "" : fields[row[FIELD]]);
  const seen = (row) => (row[SEEN] === 0 ? row[VALUE] : row[SEEN]);
  const shownTime = (seconds) => (seconds === null ? "" : new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " "));

  // name, title, width in percent, key to sort by
  const columns = [
    ["time", "Time (UTC)", 11.5, (row) => (row[TIME] === null ? Infinity : row[TIME])],
    ["value", "Value", 16, (row) => row[VALUE]],
    ["type", "Type", 8, (row) => row[TYPE]],
    ["relation", "Relation", 8, (row) => row[RELATION]],
    ["field", "Field", 9, fieldName],
    ["indicator", "Indicator", 14, (row) => indicatorName(row).toLowerCase()],
    ["input", "Input", 12, (row) => paths[row[PATH]]],
    ["line", "Line", 30.5, null],
  ].filter(([name]) => name !== "field" || fields.length > 0);

  // What the address may ask for, and what it is compared with.
  const filters = {
    indicator: (row) => indicators[row[INDICATOR]][ID],
    input: (row) => paths[row[PATH]],
    type: (row) => row[TYPE],
    relation: (row) => row[RELATION],
    field: fieldName,
  };

  let state = { q: "", sort: "", page: 0, time: null, exact: {} };
  let found = rows;
  let expanded = new Set();

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === "on") made.addEventListener("click", value);
      else if (value !== null) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  function readAddress() {
    const asked = new URLSearchParams(location.hash.slice(1).replace(/\+/g, "%2B"));
    const time = /^(-?\d+),(-?\d+)$/.exec(asked.get("time") || "");
    const next = { q: asked.get("q") || "", sort: asked.get("sort") || "", page: Math.max(0, (parseInt(asked.get("page"), 10) || 1) - 1), time: time && [+time[1], +time[2]], exact: {} };
    for (const name of Object.keys(filters)) if (asked.has(name)) next.exact[name] = asked.get(name);
    return next;
  }

  function address(of) {
    const parts = [];
    const add = (name, value) => parts.push(name + "=" + encodeURIComponent(value));
    if (of.q) add("q", of.q);
    for (const [name, value] of Object.entries(of.exact)) add(name, value);
    if (of.time) add("time", of.time.join(","));
    if (of.sort) add("sort", of.sort);
    if (of.page) add("page", of.page + 1);
    return "#" + parts.join("&");
  }

  function select() {
    // Words, or several of them between quotes.
    const words = [...state.q.toLowerCase().matchAll(/"([^"]+)"|\S+/g)].map(([word, quoted]) => quoted || word);
    const exact = Object.entries(state.exact);
    const [from, to] = state.time || [0, 0];
    const text = (row) => {
      const about = indicators[row[INDICATOR]];
      return [row[VALUE], row[TYPE], row[RELATION], fieldName(row), about[ID], about[NAME], about[3], paths[row[PATH]] + ":" + row[LINE], row[BEFORE], seen(row), row[BEHIND]].join("\n").toLowerCase();
    };
    found = rows.filter((row) => {
      if (state.time && !(row[TIME] !== null && row[TIME] >= from && row[TIME] < to)) return false;
      for (const [name, value] of exact) if (filters[name](row) !== value) return false;
      if (words.length === 0) return true;
      const all = text(row);
      return words.every((word) => all.includes(word));
    });
    const descending = state.sort.startsWith("-");
    const column = columns.find(([name]) => name === state.sort.replace("-", ""));
    if (column && column[3]) {
      const keys = new Map(found.map((row) => [row, column[3](row)]));
      const sign = descending ? -1 : 1;
      // What has no key stands behind what has one.
      const none = (key) => key === "" || key === Infinity;
      found.sort((a, b) => {
        const [x, y] = [keys.get(a), keys.get(b)];
        if (none(x) || none(y)) return none(x) - none(y);
        return x < y ? -sign : x > y ? sign : 0;
      });
    }
    const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
    state.page = Math.min(state.page, last);
  }

  // The parts that stay, and those that are filled again.
  const search = element("input", { type: "search", placeholder: "Filter by value, indicator, input or text of the line", "aria-label": "Filter", autocomplete: "off", spellcheck: "false" });
  const count = element("output", { role: "status" });
  const chips = element("ul", { class: "chips", "aria-label": "Filters" });
  const body = element("tbody");
  const heads = columns.map(([name, title, , key]) =>
    element("th", { scope: "col" }, key ? element("button", { type: "button", on: () => sortBy(name) }, title) : element("button", { type: "button", disabled: "" }, title)));
  const table = element("table", { "aria-label": "Hits" },
    element("colgroup", {}, ...columns.map(([, , width]) => element("col", { width: width + "%" }))),
    element("thead", {}, element("tr", {}, ...heads)), body);
  const before = element("button", { type: "button", on: () => go({ page: state.page - 1 }) }, "Previous");
  const after = element("button", { type: "button", on: () => go({ page: state.page + 1 }) }, "Next");
  const where = element("span");
  document.getElementById("table").append(
    element("div", { class: "tools" }, search, count), chips,
    element("div", { class: "scroll" }, table),
    element("nav", { class: "pages", "aria-label": "Pages" }, before, where, after));

  function go(change, keep) {
    state = { ...state, page: 0, ...change };
    history.replaceState(null, "", address(state));
    draw(keep);
  }

  function sortBy(name) {
    const next = state.sort === name ? "-" + name : state.sort === "-" + name ? "" : name;
    go({ sort: next });
  }

  function without(name) {
    const exact = { ...state.exact };
    delete exact[name];
    return exact;
  }

  function drawChips() {
    const chip = (text, change) => element("li", {}, element("button", { type: "button", title: "Remove this filter", on: () => { go(change); search.focus(); } }, text + "  \u00d7"));
    const shown = Object.entries(state.exact).map(([name, value]) => {
      const known = name === "indicator" && indicators.find((about) => about[ID] === value);
      return chip(name + ": " + ((known && known[NAME]) || value), { exact: without(name) });
    });
    if (state.time) shown.push(chip("time: " + shownTime(state.time[0]) + " to " + shownTime(state.time[1]), { time: null }));
    chips.replaceChildren(...shown);
  }

  function cell(name, row) {
    switch (name) {
      case "time": return element("td", { class: "time" }, shownTime(row[TIME]));
      case "value": return element("td", { class: "value", title: row[VALUE] }, row[VALUE]);
      case "type": return element("td", {}, row[TYPE]);
      case "relation": return element("td", {}, row[RELATION]);
      case "field": return element("td", { class: "value", title: fieldName(row) }, fieldName(row));
      case "indicator": return element("td", { title: indicatorName(row) }, indicatorName(row));
      case "input": return element("td", { class: "input", title: paths[row[PATH]] + ":" + row[LINE] }, element("span", {}, element("span", {}, paths[row[PATH]]), element("span", {}, ":" + row[LINE])));
      default: return element("td", { class: "line" }, row[BEFORE].length > 18 && !expanded.has(row) ? "\u2026" + row[BEFORE].slice(-16) : row[BEFORE], element("mark", {}, seen(row)), row[BEHIND]);
    }
  }

  function about(row) {
    const [id, name, confidence, labels, tlp, from, until, source] = indicators[row[INDICATOR]];
    const list = element("dl");
    const add = (title, ...content) => content[0] && list.append(element("dt", {}, title), element("dd", {}, ...content));
    add("Indicator", name);
    add("Id", element("code", {}, id));
    add("Confidence", confidence);
    add("Labels", labels);
    add("Marking", tlp && "TLP:" + tlp.toUpperCase());
    add("Valid", [from && "from " + from, until && "until " + until].filter(Boolean).join(" "));
    add("From", source);
    add("Seen in", paths[row[PATH]] + ", line " + row[LINE].toLocaleString("en"));
    const only = element("button", { type: "button", on: () => go({ exact: { indicator: id }, q: "", time: null }) }, "All hits of this indicator");
    const same = element("button", { type: "button", on: () => go({ exact: {}, q: row[VALUE], time: null }) }, "All hits of this value");
    return element("tr", { class: "about" }, element("td", { colspan: columns.length }, list, only, " ", same));
  }

  function draw(keep) {
    select();
    if (document.activeElement !== search) search.value = state.q;
    const number = (n) => n.toLocaleString("en");
    count.textContent = found.length === rows.length ? number(rows.length) + " rows" : number(found.length) + " of " + number(rows.length) + " rows";
    drawChips();
    heads.forEach((head, at) => {
      const name = columns[at][0];
      if (state.sort === name) head.setAttribute("aria-sort", "ascending");
      else if (state.sort === "-" + name) head.setAttribute("aria-sort", "descending");
      else head.removeAttribute("aria-sort");
    });
    const start = state.page * PAGE;
    const lines = [];
    for (const row of found.slice(start, start + PAGE)) {
      const open = expanded.has(row);
      const line = element("tr", { tabindex: lines.length === 0 ? "0" : "-1", "aria-expanded": open ? "true" : "false" }, ...columns.map(([name]) => cell(name, row)));
      line.addEventListener("click", () => String(getSelection()) === "" && toggle(row));
      line.row = row;
      lines.push(line);
      if (open) lines.push(about(row));
    }
    if (lines.length === 0) lines.push(element("tr", { class: "about" }, element("td", { class: "empty", colspan: columns.length }, rows.length === 0 ? "No hits." : "No row passes these filters.")));
    body.replaceChildren(...lines);
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    where.textContent = "Page " + number(state.page + 1) + " of " + number(pages);
    before.disabled = state.page === 0;
    after.disabled = state.page + 1 >= pages;
    for (const link of document.querySelectorAll(".list a")) {
      const [name, value] = link.hash.slice(1).split("=");
      if (state.exact[name] === decodeURIComponent(value)) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    if (keep) focusRow(keep);
  }

  function toggle(row) {
    if (!expanded.delete(row)) expanded.add(row);
    draw(row);
  }

  function focusRow(row) {
    for (const line of body.children) {
      if (line.row === row) {
        body.querySelectorAll("tr[tabindex='0']").forEach((other) => other.setAttribute("tabindex", "-1"));
        line.setAttribute("tabindex", "0");
        line.focus();
      }
    }
  }

  body.addEventListener("keydown", (event) => {
    const line = event.target;
    if (!line.row) return;
    const lines = [...body.children].filter((other) => other.row);
    const at = lines.indexOf(line);
    const to = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, Home: 0, End: lines.length - 1 }[event.key];
    if (to !== undefined && lines[to]) focusRow(lines[to].row);
    else if (event.key === "Enter" || event.key === " ") toggle(line.row);
    else if ((event.key === "PageDown" || event.key === "ArrowRight") && !after.disabled) { go({ page: state.page + 1 }); body.children[0].focus(); }
    else if ((event.key === "PageUp" || event.key === "ArrowLeft") && !before.disabled) { go({ page: state.page - 1 }); body.children[0].focus(); }
    else return;
    event.preventDefault();
  });

  // One bar is in the order of tabs; arrows lead to the others.
  const timeline = document.querySelector(".timeline svg");
  if (timeline) timeline.addEventListener("keydown", (event) => {
    const bars = [...timeline.querySelectorAll("a")];
    const at = bars.indexOf(document.activeElement);
    const to = bars[{ ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: bars.length - 1 }[event.key]];
    if (!to) return;
    event.preventDefault();
    bars.forEach((bar) => bar.setAttribute("tabindex", bar === to ? "0" : "-1"));
    to.focus();
  });

  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => go({ q: search.value.trim() }), 120);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target.tagName !== "INPUT" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && (state.q || state.time || Object.keys(state.exact).length)) {
      search.value = "";
      go({ q: "", time: null, exact: {} });
    }
  });
  // Links of the lists ask for one thing; what is sorted stays sorted.
  addEventListener("hashchange", () => {
    if (location.hash === "#hits") return;
    const sort = state.sort;
    state = readAddress();
    if (!state.sort) state.sort = sort;
    draw();
    document.getElementById("hits").scrollIntoView();
  });

  state = readAddress();
  draw();
})();
