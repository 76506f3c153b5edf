/* Opens the panel when a shopper asks for it. Until then it only listens. A view is an address (#regulars,
   #regulars/history), so a link in a theme's menu opens it and the browser's back button does what Back does. */
(() => {
  const template = () => document.getElementById('regulars-panel');
  const launcher = () => document.querySelector('.rg-launch');
  const isOurs = () => /^#regulars(\/|$)/.test(location.hash);

  let dialog, opener, loading;
  let tries = 0;
  // Steps of history between this view and the page as it was; an address that came with the page itself is step 0.
  let depth = isOurs() ? -1 : 0;
  let leaving = false;

  const style = (href) =>
    new Promise((resolve, reject) => {
      const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href, onload: resolve });
      link.onerror = () => reject(link.remove());
      document.head.append(link);
    });

  // Fetched at the first sign of interest. After a failure the address gets a fragment, since browsers remember a
  // module that could not be had.
  const load = () => {
    const { style: css, ...codes } = template().dataset;
    const again = tries ? '#' + tries : '';
    const all = () => Promise.all([style(css), ...Object.values(codes).map((code) => import(code + again))]);
    loading ??= all().catch((error) => {
      loading = null;
      tries += 1;
      throw error;
    });
    return loading;
  };

  const open = async () => {
    if (!template()) return;
    if (!dialog) {
      dialog = template().content.firstElementChild.cloneNode(true);
      dialog.addEventListener('close', closed);
      document.body.append(dialog);
    }
    if (!dialog.open) {
      dialog.showModal();
      launcher()?.setAttribute('aria-expanded', true);
    }
    depth = history.state?.regulars ?? depth + 1;
    history.replaceState({ ...history.state, regulars: depth }, '');
    try {
      const [, panel, ...parts] = await load();
      dialog.dataset.ready = '';
      if (dialog.open) panel.show(dialog, depth, parts);
    } catch {
      dialog.querySelector('[data-note=trouble]')?.removeAttribute('hidden');
    }
  };

  const closed = () => {
    launcher()?.setAttribute('aria-expanded', false);
    (opener ?? launcher())?.focus();
    if (isOurs() && depth > 0) {
      leaving = true;
      history.go(-depth);
    } else if (isOurs()) strip();
    depth = 0;
  };

  const strip = () =>
    history.replaceState({ ...history.state, regulars: undefined }, '', location.pathname + location.search);

  const asked = (event) => event.target.closest?.('.rg-launch,a[href*="#regulars"]');
  const warm = (event) => asked(event) && template() && load().catch(() => {});
  for (const type of ['pointerover', 'focusin', 'touchstart']) addEventListener(type, warm, { passive: true });

  addEventListener('click', (event) => {
    if (event.target.closest?.('[data-retry]') && !loading) return open();
    const link = asked(event);
    if (!link || !template() || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    if (!dialog?.open) opener = link;
    const wanted = link.hash || '#regulars';
    if (location.hash === wanted) open();
    else location.hash = wanted;
  });

  addEventListener('hashchange', () => {
    if (leaving) {
      leaving = false;
      if (isOurs()) strip();
    } else if (isOurs()) open();
    else dialog?.close();
  });

  // The address asked for it: the one thing that opens the panel without a touch.
  if (isOurs() && document.readyState !== 'loading') open();
  else if (isOurs()) addEventListener('DOMContentLoaded', open);
})();
