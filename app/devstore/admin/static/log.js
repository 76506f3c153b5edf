// New lines come by themselves, as long as somebody looks.

const EVERY_MS = 1500;
const MOST_LINES = 400;
const lines = document.getElementById("lines");

async function more() {
  if (!document.hidden) {
    const { last, kind } = lines.dataset;
    const answer = await fetch(`/-/log/rows?after=${last}&kind=${kind}`).catch(() => null);
    if (answer?.ok) show(await answer.text());
  }
  setTimeout(more, EVERY_MS);
}

function show(html) {
  const rows = new DOMParser().parseFromString(html, "text/html").querySelectorAll("s-table-row");
  if (!rows.length) return;
  lines.prepend(...rows);
  while (lines.children.length > MOST_LINES) lines.lastElementChild.remove();
  lines.dataset.last = rows[0].dataset.seq;
  document.getElementById("nothing").hidden = true;
}

setTimeout(more, EVERY_MS);
