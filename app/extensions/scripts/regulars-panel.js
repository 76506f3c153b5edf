/* The panel's views, painted from the page's metafields at once and from our server when it has answered.
   Words are in the page, written by Liquid; here are only numbers, dates and which part is shown. Everything is put in
   as text. No answer is kept longer than the page. */

const SLOW_MS = 4000;
let panel;

/** Show the view that the address names. `depth`: how many steps of history lie behind it; `parts`: a member's views
    of rewards and the shop's cart. */
export const show = (dialog, depth, parts) => (panel ??= create(dialog, ...parts)).show(depth);

function create(dialog, rewards, cart) {
  const one = (selector) => dialog.querySelector(selector);
  const all = (selector) => [...dialog.querySelectorAll(selector)];
  const { lang, dataset } = dialog;
  const words = { title: one('#rg-title'), status: one('[role=status]'), history: one('[data-history]') };

  const published = dataset.member && JSON.parse(dataset.member);
  const state = {
    member: dataset.member ? { available: 0, pending: 0, debt: 0, ...published } : null,
    known: published?.at, // when these numbers were true
    paused: dataset.paused === 'true',
    rewards: null, // and history: null until our server has answered
    held: [],
    lines: null,
    next: null,
    trouble: false,
  };
  let depth = 0;
  let fresh = false; // asked once since it was opened
  let asking = 0;

  const number = new Intl.NumberFormat(lang);
  const plural = new Intl.PluralRules(lang);
  const date = (at, options) => new Intl.DateTimeFormat(dataset.dates, options).format(new Date(at));
  const day = (at, month) => date(at, { day: 'numeric', month, year: thisYear(at) ? undefined : 'numeric' });
  const clock = (at) => date(at, { hour: 'numeric', minute: '2-digit' });
  const points = (n) => (n < 0 ? '\u2212' : '') + number.format(Math.abs(n));

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const sentence = ({ dataset: forms }, n, values) =>
    fill(forms[plural.select(n)] ?? forms.other, { n: points(n), ...values });
  const tell = (element, n, values) => (element.textContent = sentence(element, n, values));
  const hide = (selector, hidden) => all(selector).forEach((element) => (element.hidden = !!hidden));
  const announce = (text) => (words.status.textContent = text);

  // ── painting ──────────────────────────────────────────────────────────────────────────────────────────────────

  function paint() {
    const { member, trouble } = state;
    const who = member ? 'member' : 'visitor';
    const [, wanted, id] = location.hash.split('/');
    const here = (body) => body.dataset.view === wanted && (body.dataset.who ?? who) === who;
    const view = all('[data-view]').some(here) && spend?.knows(wanted, id) !== false ? wanted : 'home';

    for (const body of all('[data-view]')) {
      body.hidden = body.dataset.view !== view || (body.dataset.who ?? who) !== who;
      if (!body.hidden) words.title.firstElementChild.textContent = body.dataset.title;
    }
    for (const acts of all('[data-acts]')) acts.hidden = acts.dataset.acts !== view;
    for (const link of all('.rg-foot [data-who]')) link.hidden = link.dataset.who !== who;
    dataset.viewNow = view;
    hide('[data-back]', view === 'home');
    hide('.rg-foot', view !== 'home');
    hide('[data-earning]', state.paused);
    hide('[data-usual]', trouble);
    hide('[data-meanwhile]', !trouble);

    spend?.paint(view, id);

    // One note a view: what we cannot know comes before what we know.
    const ending = spend?.runsOut() ? 'expiring' : '';
    const note = trouble ? 'trouble' : state.paused ? 'paused' : member?.debt > 0 ? 'debt' : ending;
    for (const element of all('[data-note]')) element.hidden = element.dataset.note !== note;
    if (trouble) paintTrouble();
    if (member) paintMember(member, trouble);
    if (!trouble) paintLauncher(member);
    if (spend) paintHistory();
    return view;
  }

  function paintMember(member, trouble) {
    const big = one('[data-available]');
    big.textContent = points(member.available);
    big.parentNode.classList.toggle('rg-balance__n--s', big.textContent.length > 6);
    const dated = trouble && state.known && isToday(state.known);
    hide('[data-unit]', dated);
    hide('[data-unit-at]', !dated);
    tell(one(dated ? '[data-unit-at]' : '[data-unit]'), member.available, when());

    hide('[data-wait]', !member.pending);
    tell(one('[data-pending]'), member.pending);
    hide('[data-due-line]', !member.next_at);
    if (member.next_at) one('[data-due]').textContent = day(member.next_at, 'long');
    tell(one('[data-debt]'), member.debt);
    hide('[data-empty]', member.available + member.pending + member.debt > 0 || state.paused || trouble);
  }

  function paintTrouble() {
    for (const element of all('[data-trouble]'))
      element.textContent = navigator.onLine ? element.dataset.reach : element.dataset.offline;
    for (const element of all('[data-known]')) {
      element.hidden = !state.known;
      if (state.known) element.textContent = fill(element.dataset[isToday(state.known) ? 'today' : 'day'], when());
    }
  }

  function paintLauncher(member) {
    const label = document.querySelector('[data-launcher]');
    if (label) label.textContent = member ? sentence(label, member.available) : label.dataset.visitor;
  }

  function paintHistory() {
    const { lines, next, trouble } = state;
    hide('[data-skeleton]', lines || trouble);
    hide('[data-nothing]', !lines || lines.length);
    hide('[data-more-box]', !next);
    const groups = new Map();
    for (const line of lines ?? []) {
      const name = groupOf(line);
      groups.set(name, [...(groups.get(name) ?? []), line]);
    }
    // What is on the way comes first, whatever its date.
    const { pendingTitle } = words.history.dataset;
    const names = [...groups.keys()].sort((a, b) => (b === pendingTitle) - (a === pendingTitle));
    words.history.replaceChildren(...names.flatMap((name) => group(name, groups.get(name))));
  }

  function groupOf({ kind, at }) {
    const { pendingTitle, earlierTitle } = words.history.dataset;
    if (kind === 'pending') return pendingTitle;
    if (!thisYear(at)) return date(at, { year: 'numeric' });
    return new Date().getMonth() - new Date(at).getMonth() > 1 ? earlierTitle : date(at, { month: 'long' });
  }

  function group(name, lines) {
    const { children } = one('[data-group]').content.cloneNode(true);
    const [title, list] = children;
    title.textContent = name;
    list.append(...lines.map(lineOf));
    return [title, list];
  }

  function lineOf(line) {
    const item = one('[data-line]').content.cloneNode(true).firstElementChild;
    const [title, amount, reason, time] = item.children;
    const n = line.kind === 'taken_back' ? -Math.abs(line.points) : line.points;
    title.firstChild.textContent = line.title;
    amount.textContent = (n > 0 ? '+' : '') + points(n);
    amount.classList.add(line.kind === 'pending' ? 'rg-points--pending' : n > 0 ? 'rg-points--plus' : 'rg-points--flat');
    reason.firstChild.textContent = line.reason ?? '';
    reason.lastChild.hidden = !line.redemption_id;
    reason.lastChild.href = '#regulars/code/' + line.redemption_id;
    time.dateTime = line.at;
    time.textContent = day(line.at, 'short');
    line.item = item;
    return item;
  }

  const when = () => state.known && { time: clock(state.known), date: day(state.known, 'long') };

  // ── asking our server ─────────────────────────────────────────────────────────────────────────────────────────

  /** Our server's answer to one question: {ok, status, body}; the body is null where it was none of ours. */
  async function call(path, sent) {
    const root = window.Shopify?.routes?.root ?? '/';
    const proxy = dataset.proxy.replace(/^\/+|\/+$/g, '');
    const headers = { 'Content-Type': 'application/json' };
    const post = sent && { method: 'POST', headers, body: JSON.stringify(sent) };
    const response = await fetch(`${root}${proxy}/${path}`, { cache: 'no-store', ...post });
    return { ok: response.ok, status: response.status, body: await response.json().catch(() => null) };
  }

  async function ask(cursor) {
    const { ok, status, body } = await call('shopper' + (cursor ? '?cursor=' + encodeURIComponent(cursor) : ''));
    if (!ok || !body || !('member' in body)) throw new Error(`shopper: ${status}`);
    return body;
  }

  async function refresh() {
    const mine = ++asking;
    const fail = () => {
      if (mine !== asking) return;
      // Somebody who is not logged in misses nothing.
      state.trouble = !!state.member;
      paint();
      if (state.trouble) announce(one('[data-trouble]').textContent);
    };
    const slow = setTimeout(fail, SLOW_MS);
    try {
      const answer = await ask();
      if (mine === asking) take(answer);
    } catch {
      fail();
    }
    clearTimeout(slow);
  }

  function take({ member, program, rewards, redemptions, history, history_next }) {
    if (member && !spend) return paintAnew();
    const before = state.member?.available;
    Object.assign(state, { member, lines: history ?? [], next: history_next, trouble: false, known: new Date() });
    Object.assign(state, { rewards: rewards ?? [], held: redemptions ?? [] });
    if (program) state.paused = program.paused || !program.live;
    const wasOn = dataset.viewNow;
    if (paint() !== wasOn) words.title.focus();
    spend?.readCart();
    announce(member && member.available !== before ? sentence(words.status, member.available) : '');
  }

  /** This page was made for a visitor, and it is a member who asks. Once is enough, should the next be made so too. */
  function paintAnew() {
    if (history.state.again) return;
    history.replaceState({ ...history.state, again: true }, '');
    location.reload();
  }

  async function showMore() {
    const cursor = state.next;
    hide('[data-more-failed]', true);
    try {
      const { history, history_next } = await ask(cursor);
      if (state.next !== cursor) return; // tapped twice, or opened anew meanwhile
      Object.assign(state, { lines: [...state.lines, ...history], next: history_next });
      paint();
      history[0]?.item.focus();
    } catch {
      hide('[data-more-failed]', false);
    }
  }

  // ── what the shopper does ─────────────────────────────────────────────────────────────────────────────────────

  function goBack() {
    // Where the view was opened directly, there is no home behind it to go back to.
    if (depth > 1) history.back();
    else goTo('');
  }

  /** Another view in this one's place. */
  function goTo(view) {
    history.replaceState(history.state, '', '#regulars' + view);
    paint();
    words.title.focus();
  }

  one('[data-back]').addEventListener('click', goBack);
  one('[data-more]')?.addEventListener('click', showMore);
  for (const button of all('[data-retry]'))
    button.addEventListener('click', async () => {
      await refresh();
      if (!state.trouble) words.title.focus();
    });
  addEventListener('online', () => dialog.open && state.trouble && refresh());

  // Escape goes one level up before it closes.
  dialog.addEventListener('cancel', (event) => {
    if (dataset.viewNow === 'home') return;
    event.preventDefault();
    goBack();
  });
  dialog.addEventListener('close', () => (fresh = false));

  // A tap on the scrim closes; text selected up to there does not.
  let pressed;
  dialog.addEventListener('pointerdown', (event) => (pressed = event.target));
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog && pressed === dialog) dialog.close();
  });

  const kit = { dialog, one, all, state, fill, sentence, hide, points, day, call, refresh, paint, announce, goBack, goTo };
  const spend = rewards?.create(kit, cart.create(dataset));

  return {
    show(steps) {
      depth = steps;
      paint();
      words.title.focus();
      if (fresh) return;
      fresh = true;
      refresh();
    },
  };
}

function isToday(at) {
  return new Date(at).toDateString() === new Date().toDateString();
}

function thisYear(at) {
  return new Date(at).getFullYear() === new Date().getFullYear();
}
