// The room of curves.

import { catalog, element, lossPicker } from "./page.js";

export async function mount(root, room) {
  const entries = await catalog();
  const picker = lossPicker({ entries, chosen: room.all("loss"), ontoggle: () => {} });
  root.append(element("div", { class: "controls" }, element("section", { class: "card" }, picker.place)));
}
