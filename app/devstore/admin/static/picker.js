// The resource picker: the store's products, searched and ticked.

/** {selection: […]} of the products chosen, {selection: null} when the merchant closed it. */
window.pickProducts = async ({ multiple, action, selectionIds, query, filter }, load) => {
  const { products } = await load();
  const modal = document.getElementById("picker");
  const list = document.getElementById("picker-list");
  const search = document.getElementById("picker-search");
  const yes = document.getElementById("picker-yes");
  const most = multiple === true ? Infinity : Number(multiple) || 1;
  const chosen = new Set(selectionIds.map((each) => each.id));

  const row = (product) => {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), {
      type: most === 1 ? "radio" : "checkbox", name: "product", checked: chosen.has(product.id),
    });
    input.addEventListener("change", () => choose(product.id, input.checked));
    const words = document.createElement("span");
    words.append(product.title, Object.assign(document.createElement("small"), { textContent: product.vendor }));
    label.append(input, Object.assign(new Image(), { src: product.images[0].originalSrc, alt: "" }), words);
    return label;
  };

  const choose = (id, on) => {
    if (most === 1) chosen.clear();
    if (on && chosen.size >= most) chosen.delete([...chosen][0]);
    if (on) chosen.add(id);
    else chosen.delete(id);
    show();
  };

  const show = () => {
    const wanted = search.value.trim().toLowerCase();
    const found = products.filter((each) => `${each.title} ${each.vendor} ${each.tags.join(" ")}`.toLowerCase().includes(wanted));
    const focused = [...list.querySelectorAll("input")].indexOf(document.activeElement);
    list.replaceChildren(...found.map(row));
    if (!found.length) list.append(Object.assign(document.createElement("p"), { textContent: "No product is called that." }));
    if (focused >= 0) list.querySelectorAll("input")[focused]?.focus();
    yes.disabled = action !== "select" && chosen.size === 0;
    yes.textContent = action === "select" ? "Select" : "Add";
  };

  search.value = query || filter?.query || "";
  search.oninput = show;
  show();
  const agreed = await new Promise((resolve) => {
    yes.onclick = () => resolve(true);
    document.getElementById("picker-no").onclick = () => resolve(false);
    modal.addEventListener("hide", () => resolve(false), { once: true });
    modal.showOverlay();
  });
  modal.hideOverlay();
  return { selection: agreed ? products.filter((product) => chosen.has(product.id)) : null };
};
