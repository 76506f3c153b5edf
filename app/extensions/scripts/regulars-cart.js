/* The shop's cart, by Shopify's Ajax API: what is in it, and our code on it. Amounts there are hundredths, in every
   currency. */

export function create({ currency }) {
  const root = () => window.Shopify?.routes?.root ?? '/';

  async function send(path, sent) {
    const headers = { 'Content-Type': 'application/json' };
    const post = sent && { method: 'POST', headers, body: JSON.stringify(sent) };
    const response = await fetch(root() + path, { cache: 'no-store', ...post });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.json();
  }

  const read = () => send('cart.js');
  const codes = (cart) => cart?.discount_codes ?? [];
  const is = (one, other) => one.toUpperCase() === other.toUpperCase();
  const others = (cart, code) => codes(cart).map((each) => each.code).filter((each) => !is(each, code));

  // All codes are sent, so that it does not matter whether Shopify puts them beside those it has or in their place.
  const set = async (list) => {
    await send('cart/update.js', { discount: list.join() });
    return read();
  };

  return {
    read,
    address: () => root() + 'cart',
    /** Where the browser goes to have the code put on the cart without us, and to see it there. */
    link: (code) => `${root()}discount/${encodeURIComponent(code)}?redirect=${encodeURIComponent(root() + 'cart')}`,

    /** The cart with the code on it, and with the free product in it once. */
    async put({ code, variant_id }) {
      let cart = await read();
      if (variant_id && !cart.items.some((item) => item.variant_id === variant_id)) {
        await send('cart/add.js', { items: [{ id: variant_id, quantity: 1 }] });
        cart = await read();
      }
      return set([...others(cart, code), code]);
    },

    async remove(code) {
      const cart = await read();
      return codes(cart).some((each) => is(each.code, code)) ? set(others(cart, code)) : cart;
    },

    /** What is missing to a smallest cart, in hundredths; 0 where that cannot be said. */
    missing(cart, hundredths) {
      if (!cart?.item_count || cart.currency !== currency) return 0;
      return Math.max(0, hundredths - (cart.items_subtotal_price ?? cart.total_price));
    },

    /** Whether the code is on the cart: whether it counts there, and which other one does. */
    find(cart, code) {
      const ours = codes(cart).find((each) => is(each.code, code));
      const other = codes(cart).find((each) => each.applicable && !is(each.code, code));
      return { there: !!ours, counts: !!ours?.applicable, other: other?.code };
    },
  };
}
