// Small things of every admin page: the menu on narrow screens, and tables that have further pages.

const menu = document.querySelector(".menu");
const side = document.getElementById("side");

function openMenu(open) {
  side.classList.toggle("open", open);
  menu.setAttribute("aria-expanded", String(open));
}

menu.addEventListener("click", () => openMenu(!side.classList.contains("open")));
side.addEventListener("click", () => openMenu(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && side.classList.contains("open")) {
    openMenu(false);
    menu.focus();
  }
});

for (const table of document.querySelectorAll("s-table[paginate]")) {
  table.addEventListener("nextpage", () => location.assign(table.dataset.next));
  table.addEventListener("previouspage", () => location.assign(table.dataset.previous));
}
