// The room for classification: what parts classes under each loss.

import { Latest, brief, catalog, element, picture, problems } from "./page.js";
import { choice, lossControls, models, setting } from "./controls.js";

const USUAL = {
  2: ["logistic", "exponential", "savage"],
  3: ["softmax_cross_entropy", "multi_margin", "hinge"],
};

export async function mount(root, room) {
  const entries = await catalog();
  const error = problems();
  const classes = room.get("classes") === "3" ? 3 : 2;
  const losses = lossControls({
    room, entries, usual: USUAL[classes], most: 6, onchange: ask, colored: false,
    fits: (entry) => ["binary", "multiclass", "regression"].includes(entry.task),
  });
  const at = (name, label, usual, low, high, step) =>
    setting({ room, name, label, usual, low, high, step, onchange: ask });
  const one = (name, legend, options, usual) => choice({
    legend, options, value: room.get(name, usual),
    onchange(value) {
      room.set({ [name]: value === usual ? null : value });
      ask();
    },
  });
  const seed = element("button", {
    type: "button", id: "seed",
    onclick() {
      room.set({ seed: (room.number("seed", 1, 1, 1e6) % 1e6) + 1 });
      ask();
    },
  }, "Other points");
  const controls = element("div", { class: "controls" },
    losses.place,
    element("section", { class: "card", "aria-label": "Model" },
      element("h2", {}, "Model"),
      one("model", "What is fitted", models("Linear"), "line"),
      at("steps", "steps of gradient descent", 300, 1, 2000, 1)),
    element("section", { class: "card", "aria-label": "Points" },
      element("h2", {}, "Points"),
      one("layout", "They lie in", [["blobs", "Clouds"], ["moons", "Arcs"]], "blobs"),
      one("classes", "Classes", [["2", "Two"], ["3", "Three"]], "2"),
      at("count", "points", 120, 10, 300, 1),
      at("spread", "spread, standard deviation", 1.1, 0, 3),
      at("imbalance", "imbalance: how much smaller each next class is", 0.4, 0, 0.95),
      at("label_noise", "label noise: share of wrong labels", 0.1, 0, 0.5),
      element("div", { class: "row" }, seed)));
  const key = element("p", { class: "row key" });
  const grid = element("div", { class: "grid" });
  const views = element("div", { class: "views" }, error.place,
    element("section", { class: "card", "aria-label": "Classes" },
      key,
      element("p", { class: "note" },
        "The ground shows which class a model decides for. Discs are points that it takes for what "
        + "they are, rings are the others. Margins: how far the score of a point's own label is ahead; "
        + "left of 0 it is wrong.")),
    grid);
  root.append(controls, views);

  let panels = [];
  const panel = () => {
    const name = element("h2", { class: "loss" });
    const found = element("p", { class: "note" });
    const flat = element("p", { class: "note flat", hidden: true },
      "Its slope is 0 wherever it is not a jump: gradient descent has nothing to follow, and the border "
      + "stays where it was at the start.");
    const problem = problems();
    const plane = picture({
      label: "Points and borders", ondraw: ask, signal: room.signal, height: 270, minimum: 220,
    });
    const margins = picture({
      label: "Margins", ondraw: ask, signal: room.signal, height: 190, minimum: 220,
    });
    const place = element("section", { class: "card panel" },
      name, found, problem.place, flat, plane.place, margins.place);
    return {
      place, plane, margins,
      show(fit, sizes) {
        name.textContent = fit.loss;
        place.setAttribute("aria-label", fit.loss);
        if (fit.error) problem.show(fit.error);
        else problem.clear();
        for (const part of [found, plane.place, margins.place]) part.hidden = Boolean(fit.error);
        flat.hidden = !fit.is_flat;
        if (fit.error) return;
        const sum = (numbers) => numbers.reduce((total, x) => total + x, 0);
        const right = sum(fit.right) / sum(sizes);
        const each = fit.right.map((right, at) => `class ${at}: ${right} of ${sizes[at]}`);
        found.textContent = `cost ${brief(fit.cost)}; right ${brief(100 * right, 3)} %`;
        found.title = each.join(", ");
        plane.place.setAttribute("aria-label", `Points and borders of ${fit.loss}; right: ${each.join(", ")}`);
        margins.place.setAttribute("aria-label", `Margins of ${fit.loss}`);
        plane.draw(fit.plane.svg, fit.plane.frame);
        margins.draw(fit.margins.svg, fit.margins.frame);
      },
    };
  };
  const fill = (count) => {
    if (panels.length === count) return;
    panels = Array.from({ length: count }, (_, at) => panels[at] ?? panel());
    grid.replaceChildren(...panels.map(({ place }) => place));
  };
  let asked = null;
  const answered = (question) => {
    if (question === asked) views.ariaBusy = "false";
  };
  const latest = new Latest("/api/classification", {
    signal: room.signal,
    show({ fits, sizes }, question) {
      error.clear();
      if (fits.length !== losses.texts().length) return;
      losses.errors(fits.map((fit) => fit.error));
      key.replaceChildren(...sizes.map((size, at) =>
        element("span", { class: "named" }, element("span", { class: "disc", "data-color": at }),
          `class ${at}: ${size} points`)));
      fits.forEach((fit, at) => panels[at].show(fit, sizes));
      answered(question);
    },
    fail(problem, question) {
      error.show(problem);
      answered(question);
    },
  });
  function ask() {
    const texts = losses.texts();
    fill(texts.length);
    const { plane, margins } = panels[0];
    if (!plane.size || !margins.size) return;
    views.ariaBusy = "true";
    asked = {
      losses: texts,
      sample: {
        seed: room.number("seed", 1, 1, 1e6), layout: room.get("layout", "blobs"),
        classes: room.number("classes", 2), count: room.number("count", 120),
        spread: room.number("spread", 1.1), imbalance: room.number("imbalance", 0.4),
        label_noise: room.number("label_noise", 0.1),
      },
      model: room.get("model", "line"), steps: room.number("steps", 300),
      plane: plane.size, margins: margins.size,
    };
    latest.ask(asked);
  }
  ask();
}
