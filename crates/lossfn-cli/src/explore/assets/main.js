// The shell of the page: its rooms, and the address that says which one is open and in which state.

import { Room, element, theme } from "./page.js";

// A room is a module with `mount(root, room)`, which fills `root` from the state in the address.
const rooms = [
  { id: "curves", title: "Curves" },
  { id: "regression", title: "Regression" },
  { id: "classification", title: "Classification" },
  { id: "predictions", title: "Your predictions" },
];

const main = document.getElementById("room");
const nav = document.getElementById("rooms");
let open = null;

function wanted() {
  const [id, query = ""] = location.hash.slice(1).split("?", 2);
  return { id: rooms.some((room) => room.id === id) ? id : rooms[0].id, query };
}

async function show() {
  const { id, query } = wanted();
  const focused = open?.id === id ? document.activeElement?.id : null;
  open?.leave();
  // A room that is left remembers its state.
  const room = new Room(id, query);
  open = room;
  const { title } = rooms.find((room) => room.id === id);
  document.title = `${title} · lossfn explore`;
  for (const link of nav.children) {
    if (link.dataset.room === id) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const root = element("div", { class: `room ${id}` });
  try {
    const { mount } = await import(`./${id}.js`);
    if (open !== room) return;
    main.replaceChildren(root);
    await mount(root, room);
  } catch (error) {
    if (open !== room) return;
    console.error(error);
    main.replaceChildren(root);
    root.replaceChildren(element("p", { class: "problem", role: "alert" },
      `The room cannot be shown: ${error.message}`));
  }
  if (focused) document.getElementById(focused)?.focus();
}

for (const { id, title } of rooms) {
  const link = element("a", { href: `#${id}`, "data-room": id }, title);
  link.addEventListener("click", () => {
    // Back to a room is back to what was last seen there.
    link.href = `#${id}${Room.remembered(id)}`;
  });
  nav.append(link);
}

theme.button(document.getElementById("theme"));
document.getElementById("skip").addEventListener("click", () => main.focus());
window.addEventListener("hashchange", show);
show();
