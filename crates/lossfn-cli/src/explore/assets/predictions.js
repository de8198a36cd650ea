// The room of one's own predictions: what they cost, where they are worst, and which losses suit them.

import { choice, lossControls } from "./controls.js";
import {
  Latest, answerOf, ask, brief, catalog, element, newId, picture, problems, say,
} from "./page.js";

export async function mount(root, room) {
  const entries = await catalog();
  const failure = problems();
  const settings = element("div", { class: "controls" });
  const results = element("div", { class: "views" });
  const chooser = fileChooser(room, async (files) => {
    // A new table has other columns.
    room.set({
      file: files.map(({ id }) => id), name: files.map(({ name }) => name), target: null, prediction: null,
      by: null, weights: null, mask: null, loss: null,
    }, { push: true });
    await open();
  });
  root.append(
    element("div", { class: "controls" }, chooser.place, settings),
    element("div", { class: "views" }, failure.place, results));

  async function open() {
    const files = room.all("file");
    settings.replaceChildren();
    results.replaceChildren();
    failure.clear();
    chooser.show(room.all("name"));
    if (files.length === 0) {
      results.append(element("section", { class: "card empty" },
        element("h2", {}, "What do your predictions cost?"),
        element("p", {}, "Choose a table with a column of true values and one or more of predictions: CSV, "
          + "Parquet, Arrow, NPZ, or several NPY files. It stays on this machine, and is removed when "
          + "lossfn explore ends."),
        element("p", { class: "note" }, "Class scores are several columns (score_*) or a column of lists.")));
      return;
    }
    try {
      const answer = await ask("/api/columns", { files }, { signal: room.signal });
      if (!room.signal.aborted) show(answer);
    } catch (error) {
      if (!room.signal.aborted) failure.show(error);
    }
  }

  function show({ columns, patterns, target, prediction }) {
    const names = columns.map(({ name }) => name);
    const change = () => {
      evaluate();
      advise();
    };
    /// A column by its name; with `others`, texts that stand for several.
    const column = (name, label, { usual = "", none = null, others = [], onchange = evaluate }) => {
      const select = element("select", { id: name });
      const value = room.get(name, usual) ?? "";
      const known = [...new Set([...others, ...names, ...(value === "" ? [] : [value])])];
      if (none !== null) select.append(element("option", { value: "" }, none));
      select.append(...known.map((each) => element("option", { value: each }, each)));
      select.value = value;
      select.addEventListener("change", () => {
        room.set({ [name]: select.value === usual ? null : select.value }, { push: true });
        onchange();
      });
      return {
        field: element("div", { class: "field" }, element("label", { for: name }, label), select),
        value: () => (select.value === "" ? null : select.value),
      };
    };
    const roles = {
      target: column("target", "Target", { usual: target, onchange: change }),
      prediction: column("prediction", "Prediction", { usual: prediction, others: patterns, onchange: change }),
      by: column("by", "Group by", { none: "no groups" }),
      weights: column("weights", "Weights", { none: "all the same" }),
      mask: column("mask", "Rows that count", { none: "all", onchange: change }),
    };
    const skip = element("input", {
      type: "checkbox", id: "skip", checked: room.get("skip") === "1",
      onchange() {
        room.set({ skip: skip.checked ? "1" : null }, { push: true });
        change();
      },
    });
    const columnsCard = element("section", { class: "card", "aria-label": "Columns" },
      element("h2", {}, "Columns"), Object.values(roles).map(({ field }) => field),
      element("label", { class: "check", for: "skip" }, skip, "Skip rows in which a number is missing"));
    const lossesPlace = element("div");
    settings.replaceChildren(columnsCard, lossesPlace);
    let controls = null;
    let picked = [];
    const fillLosses = () => {
      const own = room.all("loss").length > 0;
      const which = choice({
        legend: "Losses", value: own ? "own" : "auto", options: [["auto", "That suit"], ["own", "Choose"]],
        onchange(value) {
          room.set({ loss: value === "own" ? picked.slice(0, 7) : null }, { push: true });
          fillLosses();
          evaluate();
        },
      });
      controls = own
        ? lossControls({ room, entries, fits: () => true, usual: picked, most: 7, onchange: evaluate }) : null;
      lossesPlace.replaceChildren(element("section", { class: "card", "aria-label": "Which losses" }, which),
        ...(controls ? [controls.place] : []));
    };
    lossesPlace.className = "controls";

    const table = () => ({
      files: room.all("file"), target: roles.target.value() ?? "", prediction: roles.prediction.value() ?? "",
      mask: roles.mask.value(), skip_nan: skip.checked,
    });
    const costsFailure = problems();
    const costs = element("div", { class: "card", hidden: true });
    const worst = element("section", { class: "card", hidden: true, "aria-label": "Worst examples" });
    const adviceFailure = problems();
    const seen = picture({
      label: "What the predictions look like", signal: room.signal, height: 320, ondraw: () => advise(),
    });
    seen.place.id = "picture-predictions";
    const title = element("h2", {}, "Picture");
    const note = element("span", { class: "note last" });
    const pictureCard = element("section", { class: "card", "aria-label": "Picture" },
      element("div", { class: "row" }, title, note), adviceFailure.place, seen.place);
    const advice = element("section", { class: "card", hidden: true, "aria-label": "Advice" });
    results.replaceChildren(costsFailure.place, costs, pictureCard, advice, worst);

    const costing = new Latest("/api/costs", {
      signal: room.signal,
      show(answer) {
        costsFailure.clear();
        costs.hidden = false;
        picked = answer.losses;
        showCosts(costs, answer);
        showWorst(worst, answer);
        say(`The costs of ${answer.rows} rows are there.`);
      },
      fail(error) {
        costs.hidden = worst.hidden = true;
        costsFailure.show(error);
      },
    });
    const advising = new Latest("/api/advice", {
      signal: room.signal,
      show(answer) {
        adviceFailure.clear();
        seen.place.hidden = false;
        title.textContent = answer.picture.what;
        note.textContent = answer.picture.note;
        seen.draw(answer.picture.svg, answer.picture.frame);
        showAdvice(advice, answer.advice, (loss) => {
          room.set({ loss: [...new Set([...(controls?.texts() ?? picked), loss])].slice(-7) }, { push: true });
          fillLosses();
          evaluate();
        });
      },
      fail(error) {
        seen.place.hidden = advice.hidden = true;
        adviceFailure.show(error);
      },
    });
    function evaluate() {
      const by = roles.by.value();
      costing.ask({
        ...table(), losses: room.all("loss"), weights: roles.weights.value(), by: by === null ? [] : [by],
        worst: 8,
      });
    }
    function advise() {
      // What is hidden has no size; it is as wide as it was.
      seen.place.hidden = false;
      if (seen.size !== null) advising.ask({ ...table(), canvas: seen.size });
    }
    fillLosses();
    evaluate();
    advise();
  }

  await open();
}

/// A place to drop a file, or to choose it. `onfiles` is given `{id, name}` of each.
function fileChooser(room, onfiles) {
  const failure = problems();
  const input = element("input", {
    type: "file", id: "file", multiple: true, class: "unseen",
    accept: ".csv,.tsv,.txt,.parquet,.pq,.arrow,.feather,.ipc,.npy,.npz",
  });
  const name = element("p", { class: "note" }, "or drop it here");
  const bar = element("progress", { hidden: true, max: 1, "aria-label": "Upload" });
  const place = element("section", { class: "card drop", "aria-label": "File" },
    element("div", { class: "row" }, input, element("label", { for: "file", class: "button" }, "Choose a file"), name),
    bar, failure.place);
  const upload = async (files) => {
    if (files.length === 0) return;
    failure.clear();
    name.textContent = "";
    bar.hidden = false;
    bar.removeAttribute("value");
    try {
      const kept = [];
      for (const file of files) {
        const answer = await send(file, room.signal);
        kept.push({ id: answer.file, name: answer.name });
      }
      await onfiles(kept);
    } catch (error) {
      if (!room.signal.aborted) failure.show(error);
    } finally {
      bar.hidden = true;
      input.value = "";
    }
  };
  input.addEventListener("change", () => upload([...input.files]));
  const over = (on) => (event) => {
    event.preventDefault();
    place.classList.toggle("over", on);
  };
  place.addEventListener("dragover", over(true));
  place.addEventListener("dragleave", over(false));
  place.addEventListener("drop", (event) => {
    over(false)(event);
    upload([...event.dataTransfer.files]);
  });
  // What is dropped beside it would take the place of the page.
  for (const kind of ["dragover", "drop"]) {
    window.addEventListener(kind, (event) => event.preventDefault(), { signal: room.signal });
  }
  return {
    place,
    show(names) {
      name.textContent = names.length === 0 ? "or drop it here" : names.join(", ");
    },
  };
}

async function send(file, signal) {
  let response;
  try {
    response = await fetch(`/api/files?name=${encodeURIComponent(file.name)}`, {
      method: "POST", headers: { "content-type": "application/octet-stream" }, body: file, signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the file was not taken: is it too large, or has lossfn explore ended?");
  }
  return answerOf(response);
}

/// A number with all its digits at hand.
const number = (x) => element("td", { class: "number", title: String(x), "data-value": String(x) }, brief(x, 6));

const header = (names, numbers = []) => element("thead", {}, element("tr", {}, names.map((name) =>
  element("th", { scope: "col", class: numbers.includes(name) && "number" }, name))));

function showCosts(card, answer) {
  const groups = new Map();
  for (const cost of answer.costs) {
    const key = JSON.stringify(Object.values(cost.group));
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(cost);
  }
  const about = [`${answer.rows} rows`, answer.skipped > 0 && `${answer.skipped} skipped: a number is missing`];
  const rows = answer.by.length === 0
    ? answer.costs.map((cost) => element("tr", {},
      element("td", {}, element("code", {}, cost.loss)), number(cost.cost)))
    : [...groups.values()].map((costs) => element("tr", {},
      Object.values(costs[0].group).map((key) => element("td", {}, key === "" ? "(missing)" : key)),
      element("td", { class: "number" }, costs[0].valid), costs.map((cost) => number(cost.cost))));
  const head = answer.by.length === 0
    ? header(["loss", "mean"], ["mean"])
    : header([...answer.by, "rows", ...answer.losses], ["rows", ...answer.losses]);
  const chosen = (answer.chosen ?? []).map(({ loss, parameter, value, reason }) =>
    element("p", { class: "note" }, `${parameter} of ${loss.split("(")[0]} = ${value}: ${reason}`));
  card.replaceChildren(
    element("div", { class: "row" }, element("h2", {}, "Costs"),
      element("span", { class: "note last" }, about.filter(Boolean).join(", "))),
    element("div", { class: "scroll" }, element("table", { id: "costs" }, head, element("tbody", {}, rows))),
    ...(answer.picked ? [element("p", { class: "note" }, answer.picked.replace("no --loss was named; ", ""))] : []),
    ...chosen);
}

function showWorst(card, answer) {
  const lists = Object.entries(answer.worst ?? {}).filter(([, rows]) => rows.length > 0);
  card.hidden = lists.length === 0;
  const list = (numbers) => numbers.map((x) => brief(x)).join(", ");
  card.replaceChildren(element("h2", {}, "The most costly rows"), ...lists.map(([loss, rows], at) =>
    element("details", { open: at === 0 },
      element("summary", {}, element("code", {}, loss)),
      element("div", { class: "scroll" }, element("table", {},
        header(["row", "cost", "prediction", "target"], ["row", "cost", "prediction", "target"]),
        element("tbody", {}, rows.map((row) => element("tr", {},
          element("td", { class: "number" }, row.row), number(row.loss),
          element("td", { class: "number list" }, list(row.prediction)),
          element("td", { class: "number list" }, list(row.target))))))))));
}

function showAdvice(card, { advice, error }, onloss) {
  card.hidden = false;
  if (error) {
    card.replaceChildren(element("h2", {}, "Advice"), element("p", { class: "note" }, error));
    return;
  }
  const findings = advice.findings.map(({ about, notable, found, measured }) => element("tr", {},
    element("td", {}, about),
    element("td", {}, element(notable ? "strong" : "span", {}, found)), element("td", {}, measured)));
  const losses = advice.losses.map(({ loss, why }) => element("tr", {},
    element("td", {}, element("button", {
      type: "button", title: "Evaluate it", onclick: () => onloss(loss),
    }, element("code", {}, loss))),
    element("td", {}, why)));
  const id = newId("suit");
  card.replaceChildren(
    element("div", { class: "row" }, element("h2", {}, "Advice"),
      element("span", { class: "note last" }, advice.kind)),
    element("div", { class: "scroll" }, element("table", { class: "findings" },
      header(["looked at", "found", "measured"]), element("tbody", {}, findings))),
    ...(losses.length === 0 ? [] : [element("h3", { id }, "Losses that suit"),
      element("div", { class: "scroll" }, element("table", { "aria-labelledby": id },
        element("tbody", {}, losses)))]));
}
