// The room of curves: losses and their derivatives as pictures, and all that is known of one of them.

import { choice, lossControls } from "./controls.js";
import {
  Latest, catalog, download, element, newId, picture, png, problems, prose, say,
} from "./page.js";

const ORDERS = [["0", "Loss", "loss"], ["1", "Gradient", "gradient"], ["2", "Second derivative", "second"]];
const USUAL = ["huber(delta=1.0)", "squared_error", "absolute_error"];
/// As many colors there are.
const MOST = 7;

export async function mount(root, room) {
  const entries = await catalog();
  const failure = problems();

  const losses = lossControls({
    room, entries, fits: () => true, usual: USUAL, most: MOST,
    onchange() {
      draw();
      tell.soon();
    },
  });

  const end = (name, label, placeholder) => {
    const field = element("input", {
      type: "number", step: "any", id: name, placeholder, value: room.get(name),
      oninput() {
        room.set({ [name]: field.value });
        draw();
      },
    });
    return element("div", { class: "field" }, element("label", { for: name }, label), field);
  };
  const view = element("section", { class: "card", "aria-label": "View" },
    element("h2", {}, "View"),
    element("div", { class: "ends" },
      end("from", "From", "auto"), end("to", "To", "auto"), end("target", "Target", "auto")));

  const pictures = ORDERS.map(([order, title, id], at) => {
    const shown = picture({
      label: `${title} of the losses`, signal: room.signal, height: at === 0 ? 380 : 300,
      ondraw: () => draw(),
    });
    const save = async (kind) => {
      const name = `${id}.${kind}`;
      if (kind === "svg") download(name, shown.svg, "image/svg+xml");
      else download(name, await png(shown.svg));
    };
    const button = (kind) => element("button", {
      type: "button", class: "quiet", "aria-label": `Download ${title.toLowerCase()} as ${kind.toUpperCase()}`,
      onclick: () => save(kind),
    }, kind.toUpperCase());
    shown.place.id = `picture-${id}`;
    const card = element("section", { class: `card ${at === 0 ? "wide" : ""}`, "aria-label": title },
      element("div", { class: "row" }, element("h2", {}, title),
        element("span", { class: "last" }, button("svg"), button("png"))),
      shown.place);
    return { order: Number(order), card, shown };
  });

  const about = aboutCard(room, () => losses.texts());
  root.append(
    element("div", { class: "controls" }, losses.place, view),
    element("div", { class: "views" }, failure.place,
      element("div", { class: "pictures" }, pictures.map(({ card }) => card)), about.place));

  const drawing = new Latest("/api/curves", {
    signal: room.signal,
    show(answer, question) {
      failure.clear();
      losses.errors(answer.errors);
      answer.pictures.forEach(({ svg, frame }, at) => pictures[at].shown.draw(svg, frame));
      // What tests and the curious measure: from the event to the new picture.
      if (question.since !== undefined) {
        performance.measure("picture", { start: question.since, end: performance.now() });
      }
      say(`The pictures show ${answer.losses.join(", ")}.`);
    },
    fail(error) {
      losses.errors([]);
      failure.show(error);
    },
  });
  let since;
  root.addEventListener("input", () => (since = performance.now()), { capture: true });
  function draw() {
    if (pictures.some(({ shown }) => shown.size === null)) return;
    const [from, to] = [room.number("from", null), room.number("to", null)];
    drawing.ask({
      losses: losses.texts(),
      range: from === null && to === null ? null : [from ?? -3, to ?? 3],
      target: room.number("target", null),
      pictures: pictures.map(({ order, shown }) => ({ order, canvas: shown.size })),
      since,
    });
    since = undefined;
  }
  const tell = about.tell;
  draw();
  tell.now();
}

/// All about one of the losses.
function aboutCard(room, texts) {
  const failure = problems();
  const choices = element("div");
  const body = element("div", { class: "card", hidden: true });
  const codeCard = codeOf(room, () => chosen());
  const place = element("section", { class: "views", "aria-label": "About a loss" },
    element("div", { class: "row" }, choices), failure.place, body, codeCard.place);
  const chosen = () => texts()[Math.min(room.number("about", 0, 0), texts().length - 1)];
  const asking = new Latest("/api/about", {
    signal: room.signal,
    show(answer) {
      failure.clear();
      body.hidden = false;
      fill(body, answer);
      codeCard.show(answer.languages);
    },
    fail(error) {
      body.hidden = true;
      failure.show(error);
    },
  });
  const now = () => {
    const names = texts().map((text, at) => [String(at), text.split("(")[0].slice(0, 30)]);
    // While it has the focus it stays as it is.
    const key = names.join();
    if (choices.dataset.key !== key) {
      choices.dataset.key = key;
      choices.hidden = names.length === 1;
      choices.replaceChildren(choice({
        legend: "About", options: names, value: String(texts().indexOf(chosen())),
        onchange(value) {
          room.set({ about: value === "0" ? null : value }, { push: true });
          now();
        },
      }));
    }
    asking.ask({ loss: chosen() });
  };
  let waiting;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(now, 250);
  };
  room.signal.addEventListener("abort", () => clearTimeout(waiting));
  return { place, tell: { now, soon } };
}

/// Markup that the server has made from a formula.
function formula(mathml) {
  const holder = element("div");
  holder.innerHTML = mathml;
  return holder.firstElementChild;
}

function fill(body, { id, loss, summary, formulas, card, sections }) {
  const lines = [["loss", formulas.loss]];
  for (const order of ["gradient", "second"]) {
    for (const { by, mathml } of formulas[order]) lines.push([by ? `${order} by ${by}` : order, mathml]);
  }
  const facts = card.map(({ property, meaning, answer, text, how, witness }) => {
    // The text begins with the answer.
    const rest = text.replace(/^(yes|no|unknown)[,:;]?\s*/, "");
    const open = answer === "unknown";
    return element("tr", {},
      element("td", {}, element("span", { title: meaning }, property)),
      element("td", {}, open ? element("span", { class: "answer unknown" }, "unknown")
        : element("span", { class: `answer ${answer}` }, /^(yes|no)/.test(text) ? answer : "")),
      element("td", {}, rest,
        witness && !rest.includes(witness)
          && element("p", { class: "note" }, `witness: ${witness}`)));
  });
  body.replaceChildren(
    element("h2", {}, loss), element("p", {}, prose(summary)),
    element("dl", { class: "formulas" }, lines.map(([name, mathml]) =>
      [element("dt", {}, name), element("dd", { tabindex: "0", "aria-label": `${name} of ${id}` }, formula(mathml))])),
    ...(facts.length === 0 ? [] : [element("h2", {}, "Card"),
    element("div", { class: "scroll" }, element("table", { class: "facts" },
      element("thead", {}, element("tr", {},
        ["Property", "Answer", "How it is known"].map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, facts)))]),
    element("dl", { class: "sections" }, sections.map(({ heading, text }) =>
      [element("dt", {}, heading), element("dd", {}, prose(text))])));
}

/// The loss as code, to be copied.
function codeOf(room, chosen) {
  const failure = problems();
  const text = element("code");
  const pre = element("pre", { class: "code", tabindex: "0", "aria-label": "Code", id: "code" }, text);
  const select = element("select", {
    id: newId("language"),
    onchange() {
      room.set({ code: select.value });
      show();
    },
  });
  const copy = element("button", {
    type: "button",
    async onclick() {
      try {
        await navigator.clipboard.writeText(text.textContent);
        say("Copied.");
        copy.textContent = "Copied";
      } catch {
        // Where the browser does not let us, what is selected can be copied by hand.
        getSelection().selectAllChildren(text);
      }
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    },
  }, "Copy");
  const place = element("section", { class: "card", "aria-label": "Code", hidden: true },
    element("div", { class: "row" },
      element("h2", {}, "As code"),
      element("label", { for: select.id, class: "unseen" }, "Language"),
      element("span", { class: "last row" }, element("span", {}, select), copy)),
    failure.place, pre);
  const asking = new Latest("/api/code", {
    signal: room.signal,
    show({ code }) {
      failure.clear();
      pre.hidden = false;
      text.textContent = code;
    },
    fail(error) {
      pre.hidden = true;
      failure.show(error);
    },
  });
  const show = () => asking.ask({ loss: chosen(), language: select.value });
  return {
    place,
    show(languages) {
      if (select.children.length === 0) {
        select.append(...languages.map((name) => element("option", { value: name }, name)));
        const wanted = room.get("code");
        select.value = languages.includes(wanted) ? wanted : languages[0];
      }
      place.hidden = false;
      show();
    },
  };
}
