// What all rooms share.

/// An element with attributes and children. Functions are listeners: `onclick`; false and null leave an
/// attribute out.
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return made;
}

/// Text in which `names` are code.
export const prose = (text) =>
  text.split("`").map((part, at) => (at % 2 === 0 ? part : element("code", {}, part)));

let ids = 0;

/// An id for an element that needs one; the same each time the room is filled in the same way.
export const newId = (name) => `${name}-${(ids += 1)}`;

/// Says something to screen readers, at most every so often: the last word counts.
let saying = null;
export function say(text) {
  clearTimeout(saying);
  saying = setTimeout(() => {
    document.getElementById("said").textContent = text;
  }, 400);
}

// --- The address ---------------------------------------------------------------------------------

const memories = new Map();

/// A room and its state, which is that of the address: names with one or several values, all of them text.
export class Room {
  #query;
  #leaving = new AbortController();
  #pending = null;

  constructor(id, query) {
    this.id = id;
    this.#query = new URLSearchParams(query);
    this.#remember();
    ids = 0;
  }

  static remembered(id) {
    return memories.get(id) ?? "";
  }

  /// Aborted when the room is left, or filled anew: end what goes on then.
  get signal() {
    return this.#leaving.signal;
  }

  get(name, otherwise = null) {
    return this.#query.get(name) ?? otherwise;
  }

  all(name) {
    return this.#query.getAll(name);
  }

  /// A number within bounds.
  number(name, otherwise, low = -Infinity, high = Infinity) {
    const text = this.#query.get(name);
    const value = text === null || text.trim() === "" ? NaN : Number(text);
    return Number.isFinite(value) ? Math.min(Math.max(value, low), high) : otherwise;
  }

  /// Changes the state, and with it the address: a list is several values; null, "" and [] are none. With
  /// `push` one comes back to the state before by the browser's back. The room is not filled anew.
  set(changes, { push = false } = {}) {
    for (const [name, value] of Object.entries(changes)) {
      this.#query.delete(name);
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== null && one !== undefined && one !== "") this.#query.append(name, one);
      }
    }
    this.#remember();
    clearTimeout(this.#pending);
    if (push) history.pushState(null, "", this.address());
    // Browsers allow few changes a second.
    else this.#pending = setTimeout(() => history.replaceState(null, "", this.address()), 150);
  }

  address() {
    return `#${this.id}${Room.remembered(this.id)}`;
  }

  #remember() {
    const query = this.#query.toString();
    memories.set(this.id, query === "" ? "" : `?${query}`);
  }

  leave() {
    clearTimeout(this.#pending);
    this.#leaving.abort();
  }
}

// --- Questions -----------------------------------------------------------------------------------

/// Asks the server; an answer that is none is an Error with the reason.
export async function ask(path, question, { signal } = {}) {
  const options = question === undefined ? {} : {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(question),
  };
  let response;
  try {
    response = await fetch(path, { ...options, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("lossfn explore does not answer: is it still running?");
  }
  return answerOf(response);
}

export async function answerOf(response) {
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Error(answer?.error ?? `the server answers ${response.status}`);
  return answer;
}

/// Questions that follow each other faster than answers come: one at a time is asked, and of those that
/// come meanwhile the last.
export class Latest {
  #path; #show; #fail; #signal; #busy = false; #next = null;

  /// `show(answer, question)` for each answer, `fail(error, question)` for each refusal.
  constructor(path, { show, fail, signal }) {
    this.#path = path;
    this.#show = show;
    this.#fail = fail;
    this.#signal = signal;
  }

  async ask(question) {
    this.#next = question;
    if (this.#busy) return;
    this.#busy = true;
    while (this.#next !== null) {
      const current = this.#next;
      this.#next = null;
      try {
        const answer = await ask(this.#path, current, { signal: this.#signal });
        if (!this.#signal.aborted) this.#show(answer, current);
      } catch (error) {
        if (this.#signal.aborted) break;
        this.#fail(error, current);
      }
    }
    this.#busy = false;
  }
}

/// A place for what is wrong, beside what it is about.
export function problems() {
  const place = element("p", { class: "problem", role: "alert", hidden: true });
  return {
    place,
    show(error) {
      const text = error.message ?? String(error);
      if (place.textContent !== text) place.textContent = text;
      // A mark below a sign of the line above stays there.
      place.classList.toggle("exact", text.includes("\n"));
      place.hidden = false;
    },
    clear() {
      place.hidden = true;
      place.textContent = "";
    },
  };
}

// --- Numbers -------------------------------------------------------------------------------------

/// A number for people: a few significant digits.
export function brief(x, digits = 4) {
  if (x === null || x === undefined) return "";
  if (typeof x === "string") return x === "inf" ? "∞" : x === "-inf" ? "−∞" : x;
  if (!Number.isFinite(x)) return String(x);
  const size = Math.abs(x);
  const text = size !== 0 && (size < 1e-4 || size >= 1e7)
    ? x.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e")
    : String(Number(x.toPrecision(digits)));
  return text.replace("-", "−");
}

/// Where a slider may go. What may be any positive number goes from a hundredth of the usual to a hundred
/// times that, by equal ratios.
export function scaleOf({ low, high, low_included: lowIn, high_included: highIn, kind }, usual) {
  const [from, to] = [low ?? -Infinity, high ?? Infinity];
  if (kind === "switch") return { switch: true };
  const whole = kind === "whole";
  const step = whole ? 1 : 0;
  if (Number.isFinite(from) && Number.isFinite(to)) {
    const margin = (to - from) / 100;
    return {
      whole, step, low: lowIn || whole ? from : from + margin, high: highIn || whole ? to : to - margin,
    };
  }
  if (whole) return { whole, step, low: from, high: from + Math.max(20, 4 * usual) };
  if (from === 0 && !lowIn) return { log: true, low: usual / 100, high: usual * 100 };
  if (Number.isFinite(from)) {
    const reach = Math.max(4 * (usual - from), 5);
    return { low: lowIn ? from : from + reach / 100, high: from + reach };
  }
  if (Number.isFinite(to)) {
    const reach = Math.max(4 * (to - usual), 5);
    return { low: to - reach, high: highIn ? to : to - reach / 100 };
  }
  const reach = Math.max(4 * Math.abs(usual), 5);
  return { low: -reach, high: reach };
}

const STEPS = 1000;

/// A slider with a number field beside it. `oninput(value)` while it moves, `onchange(value)` when it rests.
export function slider({ id, label, title, value, scale, oninput, onchange }) {
  id ??= newId("slider");
  if (scale.switch) {
    const box = element("input", { type: "checkbox", id, checked: value !== 0 });
    box.addEventListener("change", () => {
      oninput(box.checked ? 1 : 0);
      onchange?.(box.checked ? 1 : 0);
    });
    return element("div", { class: "slider" }, element("label", { for: id, title }, label), box);
  }
  const { log, low, high, step } = scale;
  const place = (x) => (log ? Math.log(x / low) / Math.log(high / low) : (x - low) / (high - low));
  const at = (share) => {
    if (share <= 0) return low;
    if (share >= 1) return high;
    const x = log ? low * (high / low) ** share : low + share * (high - low);
    return step ? Math.round(x / step) * step : Number(x.toPrecision(log ? 3 : 4));
  };
  const range = element("input", {
    type: "range", id, min: 0, max: step ? Math.round((high - low) / step) : STEPS, step: 1,
  });
  const field = element("input", {
    type: "number", step: step || "any", "aria-label": `${label}, as a number`, inputmode: "decimal",
  });
  const steps = Number(range.max);
  const showRange = (x) => {
    range.value = Math.round(Math.min(Math.max(place(x), 0), 1) * steps);
    range.setAttribute("aria-valuetext", String(x));
  };
  showRange(value);
  field.value = value;
  range.addEventListener("input", () => {
    const x = at(Number(range.value) / steps);
    range.setAttribute("aria-valuetext", String(x));
    field.value = x;
    oninput(x);
  });
  range.addEventListener("change", () => onchange?.(at(Number(range.value) / steps)));
  const typed = (tell) => () => {
    // Whether the number is allowed is for the library to say.
    const x = field.valueAsNumber;
    if (Number.isNaN(x)) return;
    showRange(x);
    tell?.(x);
  };
  field.addEventListener("input", typed(oninput));
  field.addEventListener("change", typed(onchange));
  return element("div", { class: "slider" },
    element("label", { for: id, title }, label), range, field);
}

// --- Losses --------------------------------------------------------------------------------------

let known = null;

/// All losses of the catalog: `{id, task, form, summary, aliases, parameters}`.
export async function catalog() {
  known ??= ask("/api/catalog").catch((error) => {
    known = null;
    throw error;
  });
  return known;
}

/// `huber(delta=1.5)` as its name and the texts of its parameters by name; null for a formula.
export function parse(text) {
  const match = /^\s*([A-Za-z0-9_]+)\s*(?:\(([^()]*)\))?\s*$/.exec(text);
  if (!match) return null;
  const values = new Map();
  for (const part of (match[2] ?? "").split(",").filter((part) => part.trim() !== "")) {
    const [name, value] = part.split("=", 2);
    if (value === undefined) return null;
    values.set(name.trim(), value.trim());
  }
  return { id: match[1], values };
}

/// A loss as text, with all its parameters.
export function write(entry, values) {
  const texts = entry.parameters.map(({ name, range, default: usual }) => {
    const value = values.get(name) ?? usual;
    return `${name}=${range.kind === "switch" ? Boolean(value) : value}`;
  });
  return texts.length === 0 ? entry.id : `${entry.id}(${texts.join(",")})`;
}

/// A list of losses by task, with a search field, from which some are chosen: `chosen` are ids,
/// `ontoggle(entry, on)` is told of each click. `fits(entry)` says which are in the list.
export function lossPicker({ entries, chosen, ontoggle, fits = () => true, label = "Losses" }) {
  const search = element("input", {
    type: "search", id: newId("search"), placeholder: "Search: huber, quantile, robust …",
    autocomplete: "off", spellcheck: "false",
  });
  const list = element("div", { class: "picker-list", role: "group", "aria-label": label });
  const rows = [];
  const groups = [];
  for (const task of [...new Set(entries.filter(fits).map((entry) => entry.task))]) {
    const heading = element("h3", {}, task);
    const group = [];
    list.append(heading);
    for (const entry of entries.filter((entry) => entry.task === task && fits(entry))) {
      const box = element("input", { type: "checkbox", id: newId("loss"), value: entry.id });
      box.addEventListener("change", () => ontoggle(entry, box.checked));
      const row = element("label", { class: "pick", title: entry.summary, for: box.id },
        box, element("span", {}, entry.id));
      const text = [entry.id, entry.summary, entry.task, ...entry.aliases].join(" ").toLowerCase()
        .replaceAll("_", " ");
      rows.push({ row, text, box, entry });
      group.push(row);
      list.append(row);
    }
    groups.push({ heading, group });
  }
  const none = element("p", { class: "note", hidden: true }, "No loss has these words.");
  list.append(none);
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().replaceAll("_", " ").split(/\s+/);
    for (const { row, text } of rows) row.hidden = !words.every((word) => text.includes(word));
    for (const { heading, group } of groups) heading.hidden = group.every((row) => row.hidden);
    const found = rows.filter(({ row }) => !row.hidden).length;
    none.hidden = found > 0;
    say(`${found} losses`);
  });
  const mark = (ids) => {
    for (const { box, entry } of rows) box.checked = ids.includes(entry.id);
  };
  mark(chosen);
  const place = element("div", { class: "picker" },
    element("label", { for: search.id, class: "unseen" }, `Search: ${label}`), search, list);
  return { place, mark };
}

// --- Pictures ------------------------------------------------------------------------------------

/// A place for a picture that the server draws. `ondraw()` is called when it must be drawn anew because
/// its width or the theme has changed; `draw(svg, frame)` puts one there.
export function picture({ label, ondraw, signal, height = 360, minimum = 280 }) {
  const canvas = element("div", { class: "canvas" });
  const layer = element("div", { class: "layer" });
  const place = element("figure", { class: "picture", "aria-label": label }, canvas, layer);
  let width = 0;
  const watch = new ResizeObserver(() => {
    const now = Math.max(Math.floor(place.clientWidth), minimum);
    if (now === width || place.clientWidth === 0) return;
    width = now;
    ondraw();
  });
  watch.observe(place);
  signal.addEventListener("abort", () => watch.disconnect());
  theme.onchange(() => width > 0 && ondraw(), signal);
  const self = {
    place, layer, svg: "", frame: null,
    /// What the server needs to know of the place, once it is known.
    get size() {
      return width === 0 ? null : { width, height, theme: theme.current() };
    },
    draw(svg, frame = null) {
      self.svg = svg;
      self.frame = frame;
      canvas.innerHTML = svg;
    },
  };
  return self;
}

/// Handles over a picture that are dragged, or moved by arrow keys (with shift ten times as far).
/// `points` are `{id, label, x, y, axes: "x", "y" or "xy", text}` in the units of the data; `onmove(id, {x,
/// y})` while one moves, `onrest(id)` when it rests. The frame is that of the server: `{left, top, width,
/// height, x: [low, high], y: [low, high]}` in pixels of the picture and units of the data.
export function handles(target, { onmove, onrest }) {
  const made = new Map();
  let points = [];
  const clamp = (value, [low, high]) => Math.min(Math.max(value, low), high);
  const settle = () => {
    const { frame } = target;
    if (!frame) return;
    for (const point of points) {
      const button = made.get(point.id);
      const left = frame.left + frame.width * (point.x - frame.x[0]) / (frame.x[1] - frame.x[0]);
      const top = frame.top + frame.height * (frame.y[1] - point.y) / (frame.y[1] - frame.y[0]);
      button.style.left = `${left}px`;
      button.style.top = `${top}px`;
      button.hidden = left < frame.left - 1 || left > frame.left + frame.width + 1
        || top < frame.top - 1 || top > frame.top + frame.height + 1;
      const main = point.axes === "y" ? "y" : "x";
      button.setAttribute("aria-label", point.label);
      button.setAttribute("aria-valuenow", point[main]);
      button.setAttribute("aria-valuemin", frame[main][0]);
      button.setAttribute("aria-valuemax", frame[main][1]);
      button.setAttribute("aria-valuetext",
        point.text ?? (point.axes === "xy" ? `${brief(point.x)}, ${brief(point.y)}` : brief(point[main])));
    }
  };
  const move = (point, to) => {
    const { frame } = target;
    if (point.axes.includes("x")) point.x = clamp(to.x, frame.x);
    if (point.axes.includes("y")) point.y = clamp(to.y, frame.y);
    settle();
    onmove(point.id, { x: point.x, y: point.y });
  };
  const make = (id) => {
    const button = element("button", { type: "button", class: "handle", role: "slider" });
    const point = () => points.find((point) => point.id === id);
    button.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      button.focus();
      button.setPointerCapture(event.pointerId);
    });
    button.addEventListener("pointermove", (event) => {
      if (!button.hasPointerCapture(event.pointerId)) return;
      const { frame, layer } = target;
      const box = layer.getBoundingClientRect();
      move(point(), {
        x: frame.x[0] + (event.clientX - box.left - frame.left) / frame.width * (frame.x[1] - frame.x[0]),
        y: frame.y[1] - (event.clientY - box.top - frame.top) / frame.height * (frame.y[1] - frame.y[0]),
      });
    });
    button.addEventListener("pointerup", () => onrest?.(id));
    button.addEventListener("keydown", (event) => {
      const way = {
        ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1],
      }[event.key];
      if (!way) return;
      event.preventDefault();
      const { frame } = target;
      const step = event.shiftKey ? 0.1 : 0.01;
      const { x, y, axes } = point();
      // One axis takes all four keys.
      const along = axes === "xy" ? way : axes === "x" ? [way[0] + way[1], 0] : [0, way[0] + way[1]];
      move(point(), {
        x: x + along[0] * step * (frame.x[1] - frame.x[0]),
        y: y + along[1] * step * (frame.y[1] - frame.y[0]),
      });
    });
    button.addEventListener("keyup", (event) => event.key.startsWith("Arrow") && onrest?.(id));
    made.set(id, button);
    target.layer.append(button);
  };
  return {
    /// Puts handles where the points are, after each picture.
    show(now) {
      points = now.map((point) => ({ ...point }));
      for (const [id, button] of made) {
        if (points.some((point) => point.id === id)) continue;
        button.remove();
        made.delete(id);
      }
      for (const { id } of points) if (!made.has(id)) make(id);
      settle();
    },
    settle,
  };
}

/// Hands a file to the browser's downloads.
export function download(name, content, kind) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: kind }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/// A picture as PNG, twice as fine as the screen needs.
export async function png(svg) {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = element("canvas", { width: 2 * image.width, height: 2 * image.height });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob(done, "image/png"));
  } finally {
    URL.revokeObjectURL(url);
  }
}

// --- Light and dark ------------------------------------------------------------------------------

const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set();
const KEY = "lossfn-theme";
const stored = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};
let choice = stored();

export const theme = {
  current: () => choice ?? (dark.matches ? "dark" : "light"),
  onchange(listener, signal) {
    listeners.add(listener);
    signal.addEventListener("abort", () => listeners.delete(listener));
  },
  button(button) {
    const show = () => {
      const now = theme.current();
      document.documentElement.dataset.theme = now;
      const other = now === "dark" ? "light" : "dark";
      button.textContent = now === "dark" ? "☀" : "☾";
      button.setAttribute("aria-label", `Switch to ${other} colours`);
      button.title = `Switch to ${other} colours`;
      for (const listener of listeners) listener();
    };
    button.addEventListener("click", () => {
      choice = theme.current() === "dark" ? "light" : "dark";
      try {
        localStorage.setItem(KEY, choice);
      } catch {
        // The choice lasts as long as the page.
      }
      show();
    });
    dark.addEventListener("change", show);
    show();
  },
};
