/* What points buy: the rewards and what the balance reaches next, the question before points are used, and the code
   with its way into the cart and back. Our server decides; this asks it, and says what it answered. */

const WAITS_MS = [0, 800, 2400]; // before each try of a request whose answer may have been lost
const LONGEST_WAIT_MS = 15000;
const DAY_MS = 864e5;
const STATES = ['reserved', 'issued', 'releasing', 'released', 'used']; // the first three are held

export function create(kit, cart) {
  const { dialog, one, all, state, fill, sentence, hide, points, day, call, refresh, announce, goTo } = kit;

  const words = Object.fromEntries([...one('[data-words]').content.children].map((each) => [each.dataset.k, each]));
  const say = (key, n = 0, values) => sentence(words[key], n, values);
  const put = (name, text) => {
    for (const element of all(`[data-x=${name}]`)) {
      element.textContent = text ?? '';
      (element.closest('li') ?? element).hidden = !text;
    }
  };

  const currency = { style: 'currency', currency: dialog.dataset.currency };
  const unit = 10 ** new Intl.NumberFormat(dialog.lang, currency).resolvedOptions().maximumFractionDigits;
  const money = (minor, how) => new Intl.NumberFormat(dialog.lang, { ...currency, ...how }).format(minor / unit);
  const plainly = (minor) => money(minor, { trailingZeroDisplay: 'stripIfInteger' }); // €5, but €5.50
  const lacking = (minor = 0) => (cart.missing(inCart, (minor * 100) / unit) * unit) / 100;

  const list = one('[data-rewards]');
  const rows = new Map([...list.children].map((row) => [row.dataset.reward, row]));
  const published = [...list.children].map(({ dataset }) => ({ id: dataset.reward, points: +dataset.points }));
  const rewards = () => state.rewards ?? published;
  const find = (id) => rewards().find((reward) => reward.id === id);

  const seen = new Map(); // redemptions by id, as last told
  let inCart = null; // the shop's cart as last read
  let cartsTurn = Promise.resolve();
  let confirm = null; // what the shopper is asked: {id, key, points, note, busy, lost}
  let watched = null; // the redemption on show: {id, wait, timer}
  let giving = false;

  /** Whether it is the reward that is in the way, not its time or the balance. */
  const isClosed = (reason) => reason && !['paused', 'not_enough_points'].includes(reason);

  // ── the list ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** What a row says and offers. `order`: held, then within reach, then the nearest. */
  function stateOf({ id, points: price, reason, minimum_minor, starts_at }) {
    const { member, paused, trouble, held } = state;
    const mine = member ? held.filter(({ reward_id }) => reward_id === id) : [];
    const holding = mine.find((each) => !leaves(each));
    const missing = member ? price - member.available : 0;
    const small = member && lacking(minimum_minor);
    if (holding) return { order: 0, text: say('held'), show: holding.id };
    if (isClosed(reason)) return { text: words[reason] && say(reason, 0, { date: starts_at && day(starts_at, 'long') }) };
    if (missing > 0 && mine.length) return { text: say('leaving'), show: mine[0].id };
    if (missing > 0) return { text: say('to_go', missing), part: (100 * member.available) / price };
    if (small) return { text: say('cart_small', 0, { money: money(small) }) };
    return { order: member && 1, use: member && !paused && !trouble };
  }

  function paintList() {
    const { member, held } = state;
    // What somebody holds stays in reach when its reward has gone from the program.
    const gone = member ? held.filter(({ reward_id }) => !find(reward_id)) : [];
    const shown = [...rewards(), ...gone.map(({ reward_id, title, points }) => ({ id: reward_id, title, points }))]
      .filter(({ id }, place, every) => every.findIndex((each) => each.id === id) === place)
      .map((reward) => ({ ...reward, row: rowOf(reward), order: 2, ...stateOf(reward) }))
      .sort((one, other) => one.order - other.order || one.points - other.points);
    shown.forEach(paintRow);

    const order = shown.map(({ row }) => row);
    const slot = all('[data-slot]').find((each) => !each.closest('[data-view]').hidden);
    const { activeElement } = document;
    if (slot && list.parentNode !== slot) slot.append(list);
    if (String(order.map(idOf)) !== String([...list.children].map(idOf))) list.replaceChildren(...order);
    if (list.contains(activeElement)) activeElement.focus();

    hide('[data-spending]', !order.length);
    hide('[data-all]', order.length < 4);
    const link = one('[data-all]');
    link.textContent = sentence(link, order.length);
  }

  const idOf = (row) => row.dataset.reward;
  const nameOf = (row) => row.querySelector('.rg-row__t');

  function rowOf({ id, title }) {
    if (!rows.has(id)) {
      const row = one('[data-row]').content.cloneNode(true).firstElementChild;
      const [name, link] = [nameOf(row), row.querySelector('a')];
      Object.assign(row.dataset, { reward: id, where: '' });
      name.textContent = title;
      name.id = 'rg-t-' + id;
      link.id = 'rg-u-' + id;
      link.setAttribute('aria-labelledby', `${link.id} ${name.id}`);
      rows.set(id, row);
    }
    return rows.get(id);
  }

  function paintRow({ id, row, points: price, text, part, use, show }) {
    const [link, number] = row.lastElementChild.children;
    const far = !use && !show;
    const bar = row.querySelector('.rg-go');
    row.classList.toggle('rg-row--far', far);
    nameOf(row).nextElementSibling.textContent = text ?? row.dataset.where;
    bar.hidden = part === undefined;
    bar.style.setProperty('--v', part + '%');
    link.hidden = far;
    link.href = '#regulars/' + (show ? 'code/' + show : 'redeem/' + id);
    link.className = show ? 'rg-link' : 'rg-button rg-button--soft';
    link.textContent = show ? words.show.dataset.other : say('use', price);
    number.hidden = !far;
    number.textContent = points(price);
  }

  function paintNext() {
    const { available } = state.member;
    const open = rewards().filter(({ reason }) => !isClosed(reason)).sort((one, other) => one.points - other.points);
    const stops = [...new Set(open.map((reward) => reward.points))];
    const reached = stops.filter((stop) => stop <= available).length;
    const next = open.find((reward) => reward.points > available);
    const name = (reward) => ({ title: nameOf(rowOf(reward)).textContent });
    hide('[data-next]', !stops.length || state.paused || state.trouble);
    if (!stops.length) return;
    one('#rg-next').textContent = next
      ? say('next', next.points - available, name(next))
      : say('enough', 0, name(open.at(-1)));
    const first = Math.max(0, Math.min(reached - 2, stops.length - 5));
    const segments = stops.slice(first, first + 5).map((stop, place) => {
      const below = stops[first + place - 1] ?? 0;
      const part = (100 * (available - below)) / (stop - below);
      const segment = document.createElement('span');
      segment.textContent = points(stop);
      segment.className = stop === next?.points ? 'rg-track__next' : '';
      segment.style.setProperty('--v', Math.max(0, Math.min(100, part)) + '%');
      return segment;
    });
    one('[data-track]').replaceChildren(...segments);
  }

  /** In the shopper's language where the page has it so, else as our server wrote it. */
  function titleOf({ reward_id, amount_minor, title }) {
    const row = rows.get(reward_id);
    const { titled } = row?.dataset ?? {};
    if (titled) return fill(titled, { money: plainly(amount_minor) });
    return row && !find(reward_id)?.steps ? nameOf(row).textContent : title;
  }

  // ── the question ──────────────────────────────────────────────────────────────────────────────────────────────

  function paintConfirm(id) {
    const reward = find(id);
    const { kind, steps, valid_days, only_products, combines, reason } = reward;
    // One key for all tries of one question, so that a lost answer is never a second reward.
    if (confirm?.id !== id) confirm = { id, key: crypto.randomUUID(), points: reward.points };
    if (!steps && !confirm.busy && !confirm.lost) confirm.points = reward.points;
    const { points: n, busy, lost, note } = confirm;
    const { available } = state.member;
    const left = available - n;
    const stop = steps ? n / steps.points - steps.least : 0;
    const amount_minor = steps && (reward.amount_minor * n) / steps.points;
    const title = titleOf({ reward_id: id, amount_minor, title: steps?.titles[stop] ?? reward.title });
    const minimum = steps?.minimums[stop] ?? reward.minimum_minor;

    put('ask', say('ask', n, { title }));
    put('have', points(available));
    put('costs', points(-n));
    put('keep', say('points', left));
    const works = only_products ? 'works_some' : minimum ? 'works_from' : 'works';
    const terms = () => [say(works, 0, { money: plainly(minimum) }), say(combines ? 'beside' : 'alone')].join(' ');
    put('works', kind && (valid_days ? terms() : say('keeps')));
    put('aside', valid_days && say('aside', n, { date: day(Date.now() + valid_days * DAY_MS, 'long') }));

    const range = one('[data-range]');
    range.parentNode.hidden = !steps;
    if (steps) {
      const most = Math.max(steps.least, Math.min(steps.most, Math.floor(available / steps.points)));
      Object.assign(range, { min: steps.least, max: most, value: n / steps.points, disabled: !!(busy || lost) });
      range.setAttribute('aria-valuetext', `${title}, ${say('points', n)}`);
    }
    const why = left < 0 ? say('to_go', -left) : reason && refusal(reason, reward);
    put('refused', note || (kind && !busy && why));
    one('[data-x=refused]').classList.toggle('rg-note--bad', !!note);
    const button = one('[data-use]');
    button.textContent = busy ? say('working') : say('go', n);
    button.setAttribute('aria-disabled', !!(busy || !kind || why));
  }

  function slide() {
    confirm.points = one('[data-range]').value * find(confirm.id).steps.points;
    paintConfirm(confirm.id);
  }

  async function use() {
    if (one('[data-use]').ariaDisabled === 'true') return;
    const mine = confirm;
    const { id, key } = mine;
    Object.assign(mine, { busy: true, note: '' });
    paintConfirm(id);
    const reply = await persist('redemptions', { reward_id: id, key, points: mine.points });
    Object.assign(mine, { busy: false, lost: !reply });
    if (reply?.ok) return begin(reply, id);
    if (reply?.status === 401) return refresh();
    if (reply) await refresh();
    const { code = 'lost', points: price } = reply?.body.error ?? {};
    if (['reward_changed', 'unknown_reward'].includes(code)) {
      confirm = null;
      goTo('/rewards');
      put('changed', say('reward_changed'));
      return announce(say('reward_changed'));
    }
    const reward = find(id);
    if (price && reward) reward.points = price;
    mine.note = refusal(code, reward, price ?? state.member?.available);
    kit.paint();
    announce(mine.note);
  }

  function refusal(code, reward, n) {
    if (['sold_out', 'limit_used', 'not_yet', 'ended', 'paused'].includes(code))
      return say('refused', 0, { title: say(code, 0, { date: day(reward?.starts_at ?? Date.now(), 'long') }) });
    return say(words[code] ? code : 'failed', n);
  }

  /** Ask until there is an answer of ours. What was lost on its way may have been done, and the same again is nothing. */
  async function persist(path, sent) {
    for (const wait of WAITS_MS) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      const reply = await call(path, sent).catch(() => null);
      if (reply?.status < 500 && (reply.body?.id || reply.body?.error)) return reply;
    }
    return null;
  }

  /** The points are set aside. The view of the code takes the question's place, unless the shopper has left it. */
  function begin({ status, body }, id) {
    confirm = null;
    if (status > 200) state.member = { ...state.member, available: state.member.available - body.points };
    const asked = location.hash === '#regulars/redeem/' + id;
    learn(body, true);
    if (asked && dialog.open) goTo('/code/' + body.id);
  }

  // ── the code ──────────────────────────────────────────────────────────────────────────────────────────────────

  const lastDay = ({ last_day }) => day(last_day + 'T12:00', 'long');
  const leaves = ({ state, why }) => state === 'releasing' && why !== 'reissued';
  const isMade = ({ state, why }) => state === 'reserved' || (state === 'releasing' && why === 'reissued');
  const moves = (redemption) => !redemption || isMade(redemption) || leaves(redemption);

  /** Remember what our server says, unless it said something later already: answers may overtake each other. */
  function remember(redemption) {
    const before = seen.get(redemption.id);
    const rank = ({ state }) => STATES.indexOf(state);
    if (before && before.why !== 'reissued' && rank(redemption) < rank(before)) return before;
    seen.set(redemption.id, redemption);
    return before;
  }

  /** Take in what became of a redemption, and do what follows from the change. */
  function learn(redemption, fresh) {
    const before = remember(redemption);
    state.held = [redemption, ...state.held.filter(({ id }) => id !== redemption.id)];
    kit.paint();
    if (!fresh && (!before || before.state === redemption.state)) return;
    if (redemption.state === 'issued') arrive(redemption);
    else refresh().then(() => announce(textOf(redemption)));
  }

  /** The code is there: off to the cart with it. */
  async function arrive(redemption) {
    await Promise.all([refresh(), putInCart(redemption)]);
    announce(`${say('ready')} ${textOf(redemption)}`);
  }

  /** One thing at a time, so that what was read before a change never stands for what is there after it. */
  function withCart(act) {
    const read = async () => (inCart = await act().catch(() => null));
    cartsTurn = cartsTurn.then(read).then(kit.paint);
    return cartsTurn;
  }

  const readCart = () => withCart(cart.read);
  const putInCart = (redemption) => withCart(() => cart.put(redemption));

  function textOf(redemption) {
    const { state, kind, why, order, points: n } = redemption;
    const title = titleOf(redemption);
    if (isMade(redemption)) return say('making');
    if (state === 'issued') return cartText(redemption, title);
    if (state === 'releasing') return say('given', n);
    if (state === 'released')
      return why === 'expired' ? say('expired', 0, { date: lastDay(redemption) }) : say('returned', n);
    if (kind === 'gift_card') return say('gift');
    if (kind === 'store_credit') return say('credit', 0, { title });
    return order ? say('used_on', 0, { title: order }) : say('used');
  }

  function cartText({ code, minimum_minor }, title) {
    const { there, counts, other } = cart.find(inCart, code);
    const small = lacking(minimum_minor);
    if (counts) return say('in_cart', 0, { title });
    if (inCart && !inCart.item_count) return say('cart_empty');
    if (!there) return say('cart_out');
    if (small) return say('cart_below', 0, { money: money(small) });
    return other ? say('cart_clash', 0, { code: other }) : say('cart_other');
  }

  function paintCode(id) {
    const redemption = seen.get(id);
    watch(id);
    const { state: now, code, kind } = redemption ?? { state: 'reserved' };
    const made = !redemption || isMade(redemption);
    const issued = now === 'issued';
    put('value', redemption && titleOf(redemption));
    put('until', issued && say('until', 0, { date: lastDay(redemption) }));
    one('[data-ticket]').hidden = kind === 'store_credit' || !(made || code);
    put('code', code);
    one('[data-bone]').hidden = !!code;
    one('[data-copy]').hidden = !code;
    put('state', redemption && textOf(redemption));
    put('left', issued && say('left', state.member.available));

    const { there, counts } = cart.find(inCart, code ?? '');
    const absent = issued && inCart?.item_count && !there;
    one('[data-state]').classList.toggle('rg-state--done', issued ? counts : !moves(redemption));
    const link = one('[data-cart]');
    link.hidden = !issued || absent;
    link.href = counts || !issued ? cart.address() : cart.link(code);
    one('[data-put]').hidden = !absent;
    const give = one('[data-give]');
    give.hidden = !issued && (now !== 'reserved' || !redemption || isForGood(kind));
    give.textContent = redemption ? say('give', redemption.points) : '';
    give.setAttribute('aria-disabled', giving);
  }

  const isForGood = (kind) => ['gift_card', 'store_credit'].includes(kind);

  async function copy() {
    const code = one('[data-x=code]');
    try {
      await navigator.clipboard.writeText(code.textContent);
      put('copied', say('copied'));
      announce(say('copied'));
    } catch {
      getSelection().selectAllChildren(code);
    }
  }

  async function give() {
    if (giving) return;
    const { id } = watched;
    const { code } = seen.get(id);
    giving = true;
    put('trouble');
    kit.paint();
    const reply = await persist(`redemptions/${id}/cancel`, {});
    giving = false;
    if (reply?.ok) {
      learn(reply.body, true);
      goTo('/code/' + id);
      if (code) withCart(() => cart.remove(code));
    } else {
      const why = reply ? reply.body.error.code : 'lost';
      if (why === 'already_used') await look(watched);
      else put('trouble', say(words[why] ? why : 'failed'));
    }
    kit.paint();
  }

  /** Keep asking for what is being made or on its way back, ever more slowly, for as long as it is on show. */
  function watch(id) {
    if (watched?.id !== id) {
      unwatch();
      watched = { id, wait: 1000 };
      put('trouble');
      put('copied');
      if (!seen.has(id)) look(watched);
      readCart();
    }
    if (!watched.timer && seen.has(id) && moves(seen.get(id))) {
      watched.timer = setTimeout(look, watched.wait, watched);
      watched.wait = Math.min(watched.wait * 1.5, LONGEST_WAIT_MS);
    }
  }

  function unwatch() {
    clearTimeout(watched?.timer);
    watched = null;
  }

  async function look(mine) {
    const reply = await call('redemptions/' + mine.id).catch(() => null);
    if (watched !== mine) return;
    mine.timer = null;
    if (!dialog.open) return unwatch();
    if (reply?.status === 404) return goTo('');
    if (reply?.body?.id) learn(reply.body);
    else if (!seen.has(mine.id)) mine.timer = setTimeout(look, (mine.wait *= 1.5), mine);
    kit.paint();
  }

  one('[data-range]').addEventListener('input', slide);
  const onClick = (name, act) => one(`[data-${name}]`).addEventListener('click', act);
  onClick('use', use);
  onClick('not-now', kit.goBack);
  onClick('copy', copy);
  onClick('give', give);
  onClick('put', async () => {
    const redemption = seen.get(watched.id);
    await putInCart(redemption);
    announce(textOf(redemption));
  });

  return {
    /** Whether there is such a view now: not of a reward that is gone, nor while our server cannot be reached. */
    knows: (view, id) => view !== 'redeem' || (!!find(id) && !state.trouble),

    paint(view, id) {
      for (const redemption of state.held) {
        const before = remember(redemption);
        if (before && isMade(before) && redemption.state === 'issued') arrive(redemption);
      }
      state.held = state.held.map(({ id }) => seen.get(id)).filter((each) => STATES.indexOf(each.state) < 3);
      if (view !== 'code') unwatch();
      if (view !== 'rewards') put('changed');
      if (view !== 'redeem' && confirm && !confirm.busy) confirm.note = '';
      paintList();
      if (!state.member) return;
      paintNext();
      if (view === 'redeem') paintConfirm(id);
      if (view === 'code') paintCode(id);
    },

    /** Called when our server has answered: whether a reward is too big for the cart can be said as well. */
    readCart: () => state.member && rewards().some((reward) => reward.minimum_minor) && readCart(),

    /** A reward that is about to run out, told on the panel's home. */
    runsOut() {
      const soon = Date.now() + 7 * DAY_MS;
      const ending = state.held
        .filter((each) => each.state === 'issued' && new Date(each.until) < soon)
        .sort((one, other) => new Date(one.until) - new Date(other.until))[0];
      if (ending) put('expiring', say('expiring', 0, { title: titleOf(ending), date: lastDay(ending) }));
      if (ending) one('[data-expiring]').href = '#regulars/code/' + ending.id;
      return ending;
    },
  };
}
