// What the rooms in which models are fitted share.

import { element, lossPicker, newId, parse, problems, scaleOf, slider, write } from "./page.js";

/// One of a few: `options` are pairs of a value and its name.
export function choice({ legend, options, value, onchange }) {
  const name = newId("choice");
  const labels = options.map(([each, text]) => {
    const radio = element("input", {
      type: "radio", name, value: each, id: newId("option"), checked: each === value,
      onchange: () => onchange(each),
    });
    return element("label", { for: radio.id }, radio, text);
  });
  return element("div", { class: "field" },
    element("span", { class: "label", id: `${name}-label` }, legend),
    element("div", { class: "choice", role: "radiogroup", "aria-labelledby": `${name}-label` }, labels));
}

/// The color of a loss or class, beside its name.
export const swatch = (color) =>
  element("span", { class: "swatch", "data-color": color, "aria-hidden": "true" });

/// The losses that a room compares, in the address as `loss`: each with its parameters, a list to choose
/// from, and a field for formulas. `usual` are those of an address without any; `colored` are those that
/// have a color of their own in the pictures.
export function lossControls({ room, entries, fits, usual, most, onchange, colored = true }) {
  let texts = room.all("loss").slice(0, most);
  if (texts.length === 0) texts = usual;
  const list = element("ul", { class: "chosen" });
  let shown = [];
  const entryOf = (text) => {
    const parsed = parse(text);
    const entry = parsed && entries.find((entry) => entry.id === parsed.id
      || entry.aliases.includes(parsed.id));
    return entry ? { entry, values: parsed.values } : null;
  };
  const chosenIds = () => texts.map((text) => entryOf(text)?.entry.id);
  const tell = () => {
    room.set({ loss: texts });
    onchange();
  };
  const change = (now) => {
    texts = now;
    fill();
    tell();
  };
  const picker = lossPicker({
    entries, fits, chosen: chosenIds(),
    ontoggle(entry, on) {
      if (!on && texts.length > 1) {
        change(texts.filter((text) => entryOf(text)?.entry.id !== entry.id));
      } else if (on && texts.length < most) {
        change([...texts, write(entry, new Map())]);
      } else {
        limit.show(on ? `At most ${most} losses are compared: take one away first.`
          : "One loss stays: choose another before you take it away.");
        picker.mark(chosenIds());
      }
    },
  });
  const limit = problems();
  const control = (text, at) => {
    const known = entryOf(text);
    const error = problems();
    const name = known ? known.entry.id : text;
    const remove = element("button", {
      type: "button", class: "quiet", id: `without-${at}`, "aria-label": `Take ${name} away`,
      title: `Take ${name} away`, disabled: texts.length === 1,
      onclick: () => change(texts.filter((_, other) => other !== at)),
    }, "×");
    const set = (now) => {
      texts = texts.with(at, now);
      tell();
    };
    const row = element("li", {},
      element("div", { class: "row" }, colored && swatch(at),
        element("strong", { title: known?.entry.summary }, known ? name : "formula"),
        element("span", { class: "last" }, remove)));
    if (known) {
      const { entry, values } = known;
      for (const { name, range, default: usual, meaning } of entry.parameters) {
        const written = values.get(name) ?? usual;
        const value = written === "true" ? 1 : written === "false" ? 0 : Number(written);
        values.set(name, value);
        // A parameter at the end of its range, as at minus infinity, has no place on a slider.
        if (!Number.isFinite(value)) continue;
        row.append(slider({
          id: `parameter-${at}-${name}`, label: name.replaceAll("_", " "), title: meaning, value,
          scale: scaleOf(range, usual),
          oninput(now) {
            values.set(name, now);
            set(write(entry, values));
          },
        }));
      }
    } else {
      const field = element("textarea", {
        id: `formula-${at}`, rows: 3, "aria-label": "Formula", spellcheck: "false",
        oninput() {
          sliders();
          set(field.value);
        },
      });
      field.value = text;
      const numbers = element("div");
      const sliders = () => numbers.replaceChildren(...formulaNumbers(field.value).map(({ name, value }) =>
        slider({
          id: `parameter-${at}-${name}`, label: name, value,
          scale: value > 0 ? scaleOf({ low: 0, kind: "number" }, value) : scaleOf({}, value),
          oninput(now) {
            field.value = withNumber(field.value, name, now);
            set(field.value);
          },
        })));
      sliders();
      row.append(field, numbers);
    }
    row.append(error.place);
    return { row, error };
  };
  const fill = () => {
    limit.clear();
    shown = texts.map(control);
    list.replaceChildren(...shown.map(({ row }) => row));
    picker.mark(chosenIds());
  };
  fill();
  const formula = element("input", {
    type: "text", id: newId("formula"), spellcheck: "false", autocomplete: "off",
    placeholder: "abs(p - y)^d; d = 1.5",
  });
  const written = element("form", {
    class: "field",
    onsubmit(event) {
      event.preventDefault();
      const text = formula.value.trim();
      if (text === "") return;
      if (texts.length === most) {
        limit.show(`At most ${most} losses are compared: take one away first.`);
        return;
      }
      change([...texts, text.startsWith("formula:") ? text : `formula: ${text}`]);
    },
  }, element("label", { for: formula.id }, "Or a formula of p and y, and Enter"), formula);
  const place = element("section", { class: "card", "aria-label": "Losses" },
    element("h2", {}, "Losses"), list, limit.place,
    element("details", {}, element("summary", {}, "More losses"), picker.place, written));
  return {
    place,
    texts: () => texts,
    /// Errors by place, null where there is none.
    errors(errors) {
      shown.forEach(({ error }, at) => (errors[at] ? error.show(errors[at]) : error.clear()));
    },
  };
}

const NUMBER = /([A-Za-z_]\w*)(\s*=\s*)([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/g;

/// What stands behind the formula: `; d = 1.5`.
function formulaNumbers(text) {
  const behind = text.includes(";") ? text.slice(text.indexOf(";")) : "";
  return [...behind.matchAll(NUMBER)].map(([, name, , value]) => ({ name, value: Number(value) }));
}

/// The formula with another number.
function withNumber(text, name, value) {
  const at = text.indexOf(";");
  return text.slice(0, at) + text.slice(at)
    .replace(NUMBER, (all, known, equals) => (known === name ? `${known}${equals}${value}` : all));
}

/// A slider whose value is in the address.
export function setting({ room, name, label, usual, low, high, step, onchange }) {
  return slider({
    id: name, label, value: room.number(name, usual), scale: { low, high, step },
    oninput(value) {
      room.set({ [name]: value === usual ? null : value });
      onchange();
    },
  });
}

/// The models that are fitted, by their names in the address.
export const models = (line) => [["line", line], ["network", "Network"], ["deep", "Two layers"]];
