/* Follows the chosen variant: every sentence is on the page already, this shows the right one. */
(() => {
  const chosen = (block) => {
    const near = block.closest('.shopify-section') ?? document;
    const form = near.querySelector('form[action*="/cart/add"]');
    // What the form would send: the checked radio of several. Of a sold-out variant themes disable the field.
    const sent = form && (new FormData(form).get('id') || form.elements.namedItem('id')?.value);
    return sent || new URLSearchParams(location.search).get('variant');
  };

  const follow = () => {
    for (const block of document.querySelectorAll('[data-regulars-variants]')) {
      const id = ` ${chosen(block)} `;
      const lines = [...block.querySelectorAll('[data-variants]')];
      // A variant that Liquid did not list keeps what is shown.
      if (lines.some((line) => line.dataset.variants.includes(id)))
        for (const line of lines) line.hidden = !line.dataset.variants.includes(id);
    }
  };

  // Themes write the variant's id into the form (and the address) in their own handlers, so look after those have run.
  for (const type of ['change', 'popstate']) addEventListener(type, () => setTimeout(follow));
})();
