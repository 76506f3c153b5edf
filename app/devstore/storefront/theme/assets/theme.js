// What JavaScript adds to shopping here: nothing needs it.
(() => {
  // The price follows the chosen variant, and the address names it, so a reload keeps the choice.
  const form = document.querySelector("[data-product-form]");
  form?.addEventListener("change", (event) => {
    if (event.target.name !== "id") return;
    const chosen = event.target.selectedOptions?.[0] ?? event.target;
    const price = document.querySelector("[data-price] > [data-now]");
    if (price && chosen.dataset.price) price.textContent = chosen.dataset.price;
    const address = new URL(location.href);
    address.searchParams.set("variant", chosen.value);
    history.replaceState(null, "", address);
  });

  // The cart is worked out again when a quantity changes; the checkout when a choice changes its total.
  document.querySelector("[data-cart-form]")?.addEventListener("change", (event) => {
    if (event.target.name === "updates[]") event.currentTarget.requestSubmit(event.currentTarget.elements.update);
  });
  document.querySelector("[data-checkout-form]")?.addEventListener("change", (event) => {
    const button = document.querySelector("[data-refresh-button]");
    if ("refresh" in event.target.dataset) event.currentTarget.requestSubmit(button);
  });
})();
