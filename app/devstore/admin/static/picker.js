// The resource picker: the store's products, or their variants, searched and ticked.

/** What can be ticked: products as they are, or each variant with its product, named by both. */
const pickable = (products, type) => {
  if (type === "product") return products.map((product) => ({ resource: product, words: product.title, product }));
  return products.flatMap((product) =>
    product.variants.map((variant) => {
      const words = variant.title === "Default Title" ? product.title : `${product.title} – ${variant.title}`;
      const { id, title, handle } = product;
      return { resource: { ...variant, displayName: words, product: { id, title, handle } }, words, product };
    }),
  );
};

/** {selection: […]} of the resources chosen, {selection: null} when the merchant closed it. */
window.pickProducts = async ({ type = "product", multiple, action, selectionIds, query, filter }, load) => {
  const items = pickable((await load()).products, type);
  const modal = document.getElementById("picker");
  const list = document.getElementById("picker-list");
  const search = document.getElementById("picker-search");
  const yes = document.getElementById("picker-yes");
  const most = multiple === true ? Infinity : Number(multiple) || 1;
  const chosen = new Set(selectionIds.map((each) => each.id));

  const row = ({ resource, words: name, product }) => {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), {
      type: most === 1 ? "radio" : "checkbox", name: "product", checked: chosen.has(resource.id),
    });
    input.addEventListener("change", () => choose(resource.id, input.checked));
    const words = document.createElement("span");
    words.append(name, Object.assign(document.createElement("small"), { textContent: product.vendor }));
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
    const said = ({ words, product }) => `${words} ${product.vendor} ${product.tags.join(" ")}`.toLowerCase();
    const found = items.filter((item) => said(item).includes(wanted));
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
  return { selection: agreed ? items.map((item) => item.resource).filter((resource) => chosen.has(resource.id)) : null };
};
