// The room for regression: points that are moved, and what is fitted to them.

import { Latest, brief, catalog, element, handles, picture, problems, say } from "./page.js";
import { choice, lossControls, models, setting, swatch } from "./controls.js";

const PLANE = 10;
const MOST = 400;
const USUAL = ["squared_error", "absolute_error", "huber(delta=1)"];

// A point is four characters: both coordinates in hundredths, with 36 digits.
const grid = (x) => Math.round(Math.min(Math.max(x, 0), PLANE) * 100) / 100;
const encode = (points) =>
  points.flatMap(({ x, y }) => [x, y])
    .map((x) => Math.round(x * 100).toString(36).padStart(2, "0")).join("");
function decode(text) {
  if (text.length % 4 !== 0 || !/^[0-9a-z]*$/.test(text)) return null;
  const numbers = (text.match(/../g) ?? []).map((pair) => parseInt(pair, 36) / 100);
  return numbers.some((x) => x > PLANE) ? null
    : numbers.filter((_, at) => at % 2 === 0).map((x, at) => ({ x, y: numbers[2 * at + 1] }));
}

export async function mount(root, room) {
  const entries = await catalog();
  let lastId = 0;
  const named = (points) => points.map(({ x, y }) => ({ id: `${(lastId += 1)}`, x, y }));
  const given = room.get("points");
  const own = given === null ? null : decode(given);
  let points = own ? named(own) : [];
  let isOwn = own !== null;
  let current = null;
  let fits = [];

  const error = problems();
  const unread = problems();
  if (given !== null && own === null) {
    unread.show("The points in the address cannot be read: those of the sample are shown.");
    room.set({ points: null });
  }

  // --- What is set
  const losses = lossControls({
    room, entries, usual: USUAL, most: 6,
    fits: (entry) => entry.form === "pointwise" && ["regression", "counts"].includes(entry.task),
    onchange: ask,
  });
  const resample = () => {
    isOwn = false;
    unread.clear();
    current = null;
    room.set({ points: null });
    ask();
  };
  const at = (name, label, usual, low, high, step, onchange = resample) =>
    setting({ room, name, label, usual, low, high, step, onchange });
  const seed = element("button", {
    type: "button", id: "seed",
    onclick() {
      room.set({ seed: (room.number("seed", 1, 1, 1e6) % 1e6) + 1 });
      resample();
    },
  }, "Other points");
  const add = element("button", { type: "button", id: "add", onclick: () => addPoint(8.6, 0.6) },
    "Add an outlier");
  const remove = element("button", {
    type: "button", id: "remove", onclick: () => removePoint(current ?? points.at(-1)?.id),
  }, "Remove a point");
  const controls = element("div", { class: "controls" },
    losses.place,
    element("section", { class: "card", "aria-label": "Model" },
      element("h2", {}, "Model"),
      choice({
        legend: "What is fitted", options: models("Line"), value: room.get("model", "line"),
        onchange(model) {
          room.set({ model: model === "line" ? null : model });
          ask();
        },
      }),
      at("steps", "steps of gradient descent", 300, 1, 2000, 1, ask)),
    element("section", { class: "card", "aria-label": "Points" },
      element("h2", {}, "Points"),
      choice({
        legend: "They lie about", options: [["line", "A line"], ["curve", "A curve"]],
        value: room.get("trend", "line"),
        onchange(trend) {
          room.set({ trend: trend === "line" ? null : trend });
          resample();
        },
      }),
      at("count", "points", 24, 2, 100, 1),
      at("noise", "noise, standard deviation", 0.6, 0, 3),
      at("outliers", "outliers", 2, 0, 20, 1),
      element("div", { class: "row" }, seed)));

  // --- What is seen
  const plane = picture({
    label: "Points and what is fitted to them", ondraw: ask, signal: room.signal, height: 400,
  });
  const pulls = picture({
    label: "How much each point pulls on each fit", ondraw: ask, signal: room.signal, height: 210,
  });
  const path = picture({
    label: "The cost after each step", ondraw: ask, signal: room.signal, height: 230, minimum: 220,
  });
  const table = element("tbody");
  const hint = "Drag points; click where one should be. Keys: arrows move a point, Page Up and Page Down "
    + "choose another, Delete takes it away.";
  const views = element("div", { class: "views" },
    unread.place, error.place,
    element("div", { class: "pair" },
      element("section", { class: "card", "aria-label": "Fits" },
        element("div", { class: "row" }, element("h2", {}, "Points and fits"),
          element("span", { class: "row last" }, add, remove)),
        plane.place,
        element("p", { class: "note", id: "hint" }, hint),
        element("h2", {}, "How much each point pulls"),
        element("p", { class: "note" },
          "The share that a point has in all slopes of the cost, in per cent: above 0 it pulls up."),
        pulls.place),
      element("div", { class: "views-side" },
        element("section", { class: "card", "aria-label": "Results" },
          element("h2", {}, "What was found"),
          element("div", { class: "scroll" },
            element("table", {},
              element("thead", {}, element("tr", {},
                element("th", { scope: "col" }, "loss"),
                element("th", { scope: "col", class: "number" }, "cost"))),
              table))),
        element("section", { class: "card", "aria-label": "Path" },
          element("h2", {}, "The way down"),
          element("p", { class: "note" }, "The cost above its end, as a share of what it was at the start."),
          path.place))));
  root.append(controls, views);

  // --- Points
  const changed = () => {
    isOwn = true;
    room.set({ points: encode(points) });
    ask();
  };
  const dots = handles(plane, {
    onmove(id, to) {
      const point = points.find((point) => point.id === id);
      [point.x, point.y] = [grid(to.x), grid(to.y)];
      current = id;
      changed();
    },
    onrest: () => describe(),
  });
  plane.place.setAttribute("aria-describedby", "hint");
  const button = (id) => plane.layer.querySelector(`[data-point="${id}"]`);
  const focus = (id) => {
    current = id;
    place();
    button(id)?.focus({ preventScroll: true });
  };
  function place() {
    dots.show(points.map((point, at) => ({
      ...point, label: `point ${at + 1} of ${points.length}`, axes: "xy", text: sentence(point, at),
    })));
    const buttons = [...plane.layer.children];
    // Handles are made in the order of new points; the tab key stops at one of them.
    if (!points.some((point) => point.id === current)) current = points[0]?.id ?? null;
    points.forEach(({ id }, at) => {
      const one = buttons.find((button) => button.dataset.point === id)
        ?? buttons.find((button) => button.dataset.point === undefined);
      one.dataset.point = id;
      one.tabIndex = id === current ? 0 : -1;
      one.title = `point ${at + 1}`;
    });
    remove.disabled = points.length <= 2;
    add.disabled = points.length >= MOST;
  }
  function sentence({ x, y }, at) {
    const shares = fits.filter((fit) => fit.pulls.length === points.length)
      .map((fit) => `${fit.loss} ${brief(100 * fit.pulls[at], 2)} %`);
    const pulls = shares.length > 0 ? `pulls: ${shares.join(", ")}` : "";
    return `x ${brief(x)}, y ${brief(y)}; ${pulls}`;
  }
  function describe() {
    const at = points.findIndex((point) => point.id === current);
    if (at >= 0) say(sentence(points[at], at));
  }
  function addPoint(x, y) {
    if (points.length >= MOST) return;
    const [point] = named([{ x: grid(x), y: grid(y) }]);
    points.push(point);
    current = point.id;
    changed();
    place();
    say(`point ${points.length} added`);
  }
  function removePoint(id) {
    if (points.length <= 2) {
      say("two points stay");
      return;
    }
    const at = points.findIndex((point) => point.id === id);
    if (at < 0) return;
    points.splice(at, 1);
    fits = fits.map((fit) => ({ ...fit, pulls: fit.pulls.toSpliced(at, 1) }));
    changed();
    const held = plane.layer.contains(document.activeElement);
    const next = points[Math.min(at, points.length - 1)].id;
    if (held) focus(next);
    else place();
    say(`point ${at + 1} removed, ${points.length} are left`);
  }
  plane.layer.addEventListener("focusin", (event) => {
    current = event.target.dataset.point ?? current;
    for (const one of plane.layer.children) one.tabIndex = one.dataset.point === current ? 0 : -1;
  });
  plane.layer.addEventListener("keydown", (event) => {
    const at = points.findIndex((point) => point.id === current);
    const to = { PageUp: at - 1, PageDown: at + 1, Home: 0, End: points.length - 1 }[event.key];
    if (event.key === "Delete" || event.key === "Backspace") removePoint(current);
    else if (to !== undefined) focus(points.at(to % points.length).id);
    else return;
    event.preventDefault();
  });
  plane.place.addEventListener("click", (event) => {
    const { frame } = plane;
    if (!frame || event.target.closest(".handle")) return;
    const box = plane.place.getBoundingClientRect();
    const x = (event.clientX - box.left - frame.left) / frame.width;
    const y = 1 - (event.clientY - box.top - frame.top) / frame.height;
    if (x < 0 || x > 1 || y < 0 || y > 1) return;
    addPoint(x * PLANE, y * PLANE);
  });

  // --- Questions and answers
  let asked = null;
  const answered = (question) => {
    if (question === asked) views.ariaBusy = "false";
  };
  const latest = new Latest("/api/regression", {
    signal: room.signal,
    show(answer, question) {
      error.clear();
      fits = answer.fits;
      if (fits.length === losses.texts().length) losses.errors(fits.map((fit) => fit.error));
      // Points that were moved since are where they were moved to.
      if (question.points === null && !isOwn) points = named(answer.points.map(([x, y]) => ({ x, y })));
      plane.draw(answer.plane.svg, answer.plane.frame);
      pulls.draw(answer.pulls.svg);
      path.draw(answer.path.svg);
      place();
      table.replaceChildren(...fits.map(row));
      answered(question);
    },
    fail(problem, question) {
      error.show(problem);
      answered(question);
    },
  });
  function row(fit, color) {
    const line = fit.line && `y = ${brief(fit.line[0], 3)} ${fit.line[1] < 0 ? "−" : "+"} `
      + `${brief(Math.abs(fit.line[1]), 3)} x`;
    const sizes = fit.pulls.map(Math.abs);
    const most = sizes.indexOf(Math.max(...sizes));
    const strongest = sizes.length > 0 && `point ${most + 1} pulls most: ${brief(100 * sizes[most], 2)} %`;
    return element("tr", {},
      element("td", {},
        element("span", { class: "named" }, swatch(color), element("span", {}, fit.loss)),
        line && element("span", { class: "note equation" }, line),
        strongest && element("span", { class: "note found" }, strongest)),
      element("td", { class: "number" }, fit.error ? "–" : brief(fit.cost)));
  }
  function ask() {
    if (!plane?.size || !pulls?.size || !path?.size) return;
    views.ariaBusy = "true";
    asked = {
      losses: losses.texts(),
      points: isOwn ? points.map(({ x, y }) => [x, y]) : null,
      sample: {
        seed: room.number("seed", 1, 1, 1e6), trend: room.get("trend", "line"),
        count: room.number("count", 24), noise: room.number("noise", 0.6),
        outliers: room.number("outliers", 2),
      },
      model: room.get("model", "line"), steps: room.number("steps", 300),
      plane: plane.size, pulls: pulls.size, path: path.size,
    };
    latest.ask(asked);
  }
}
