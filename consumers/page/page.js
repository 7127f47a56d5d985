// The page at /: signs in, shows a subscription's alerts as they come, and marks one as opened.
// Everything that arrives is put in place as text, never as markup.
'use strict';

const SHOWN_AT_FIRST = 50; // alerts that are asked for when a subscription is opened
const KEPT = 500;          // cards on the page; older ones leave it
const LONGEST_PAUSE_MS = 30000;

const HAPPENED = {
    'encounter-preadmitted-1': 'Admission planned',
    'encounter-admitted-1': 'Admitted to hospital',
    'encounter-ed-arrived-1': 'Arrived at the emergency department',
    'encounter-registered-1': 'Attended hospital as an outpatient',
    'encounter-transferred-1': 'Transferred within the hospital',
    'encounter-leave-started-1': 'Left hospital on leave',
    'encounter-leave-ended-1': 'Back in hospital from leave',
    'encounter-class-changed-1': 'The kind of stay changed',
    'encounter-discharged-1': 'Discharged from hospital',
    'encounter-cancelled-1': 'An earlier alert is taken back',
    'encounter-corrected-1': 'An earlier alert is corrected',
    'encounter-catch-up-1': 'What was so before you were registered',
    'care-plan-changed-1': 'Care plan changed',
    'document-available-1': 'A document is available',
    'summary-overdue-1': 'Discharge summary is overdue',
    'patient-updated-1': 'Patient details changed',
    'patient-gp-changed-1': 'GP practice changed',
    'patient-died-1': 'Patient has died',
    'registration-ended-1': 'You are no longer told about this patient',
    'withheld-1': 'This alert may no longer be shown',
};
const KINDS = { 'new': 'New', 'retraction': 'Taken back', 'correction': 'Correction', 'catch-up': 'For your information',
    'ended': 'Ended', 'withheld': 'Withheld' };
const ROLES = { 'gp': 'GP practice', 'care-home': 'care home', 'community': 'community team', 'social-care': 'social care',
    'mental-health': 'mental health team', 'pharmacy': 'pharmacy', 'ambulance': 'ambulance service',
    'palliative': 'palliative care team', 'hospital-team': 'hospital team', 'carer': 'carer' };
const CLASSES = { 'inpatient': 'inpatient', 'day-case': 'day case', 'emergency': 'emergency department',
    'outpatient': 'outpatient', 'community': 'community' };
const STATES = { 'not-admitted': 'not admitted', 'pre-admitted': 'admission planned', 'in-hospital': 'in hospital',
    'on-leave': 'on leave from hospital', 'discharged': 'discharged', 'died': 'died' };
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const at = (id) => document.getElementById(id);

let subscriptions = [];
let open = null; // { id, last, source, pause, timer, byNumber, numberOf, takenBackBy } of the subscription on the page

// ---- Small things ----

function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
}

function show(section) {
    for (const id of ['signing-in', 'none', 'reading']) at(id).hidden = id !== section;
    at('sign-out').hidden = section === 'signing-in';
}

function complain(text) {
    at('problem').textContent = text || '';
    at('problem').hidden = !text;
}

async function ask(method, path, body) {
    const options = { method, headers: { Accept: 'application/json' }, credentials: 'same-origin', cache: 'no-store' };
    if (body !== undefined) {
        options.headers['Content-Type'] = 'application/json';
        options.body = JSON.stringify(body);
    }
    const answer = await fetch(path, options);
    if (!answer.ok) throw Object.assign(new Error('answered ' + answer.status), { status: answer.status });
    const text = await answer.text();
    return text ? JSON.parse(text) : null;
}

const pathOf = (id) => '/subscriptions/' + encodeURIComponent(id);

// ---- Signing in and out ----

function askToSignIn(why) {
    leave();
    show('signing-in');
    complain(why);
}

async function signIn(credential, whyNot) {
    try {
        await ask('POST', '/session', credential);
    } catch (error) {
        askToSignIn(error.status ? whyNot : 'Tidings does not answer. Try again in a moment.');
        return false;
    }
    return true;
}

async function signOut() {
    try {
        await ask('DELETE', '/session');
    } catch (error) {
        if (error.status !== 401) {
            complain('You are still signed in: Tidings does not answer. Try again in a moment.');
            return;
        }
    }
    askToSignIn('');
    at('signing-in-title').focus();
}

async function begin() {
    const code = new URLSearchParams(location.hash.slice(1)).get('code');
    if (location.hash) history.replaceState(null, '', location.pathname); // a code is not for the history
    if (code && !(await signIn({ code }, 'That link has been used, or is older than ten minutes. Ask for a new one.'))) return;
    await choose();
}

// ---- Subscriptions ----

async function readSubscriptions() {
    const items = [];
    let after = null;
    for (let page = 0; page < 10; page++) {
        const answer = await ask('GET', '/subscriptions' + (after ? '?after=' + encodeURIComponent(after) : ''));
        items.push(...answer.items);
        after = answer.next;
        if (!after) break;
    }
    return items.filter((item) => item.status !== 'ended');
}

async function choose() {
    try {
        subscriptions = await readSubscriptions();
    } catch (error) {
        askToSignIn(error.status === 401 ? '' : error.status === 403
            ? 'This token may not read alerts. Use a link made for your organisation.'
            : 'Tidings does not answer. Try again in a moment.');
        return;
    }
    complain('');
    if (subscriptions.length === 0) {
        show('none');
        return;
    }
    const list = at('subscription');
    list.replaceChildren(...subscriptions.map((item) => {
        const option = make('option', '', item.subscriber + ' \u2013 ' + about(item));
        option.value = item.id;
        return option;
    }));
    at('chooser').hidden = subscriptions.length === 1;
    show('reading');
    await read(subscriptions[0].id);
}

function about(item) {
    const what = item.types && item.types.length ? item.types.join(', ') : 'everything that alerts';
    return what + (item.status === 'active' ? '' : ' (' + item.status + ')') + ', ' + item.id.slice(-6);
}

// ---- Reading alerts ----

function leave() {
    if (open) {
        if (open.source) open.source.close();
        clearTimeout(open.timer);
    }
    open = null;
    at('alerts').replaceChildren();
}

async function read(id) {
    leave();
    const mine = { id, last: 0, pause: 1000, byNumber: new Map(), numberOf: new Map(), takenBackBy: new Map() };
    open = mine;
    const item = subscriptions.find((one) => one.id === id);
    at('whose').textContent = 'Told to ' + item.subscriber + (item.status === 'paused' ? '. This subscription is paused.' : '');
    tell('waiting', 'Connecting');
    try {
        let page = await ask('GET', pathOf(id) + '/alerts?after=0&limit=' + SHOWN_AT_FIRST);
        if (page.head > page.last)
            page = await ask('GET', pathOf(id) + '/alerts?after=' + Math.max(0, page.head - SHOWN_AT_FIRST) + '&limit=' + SHOWN_AT_FIRST);
        if (open !== mine) return;
        mine.last = page.last;
        for (const alert of page.alerts) put(alert, false);
        at('empty').hidden = at('alerts').childElementCount > 0;
        listen();
    } catch (error) {
        if (open === mine) retry(error.status);
    }
}

function tell(state, text) {
    if (at('connection').textContent !== text) at('connection').textContent = text;
    at('connection').dataset.state = state;
}

function listen() {
    const mine = open;
    mine.source = new EventSource(pathOf(mine.id) + '/stream?after=' + mine.last);
    mine.source.onopen = () => {
        mine.pause = 1000;
        tell('live', 'Connected. New alerts appear by themselves');
    };
    mine.source.addEventListener('alert', (event) => {
        if (open === mine) put(JSON.parse(event.data), true);
    });
    mine.source.onerror = () => {
        if (open !== mine) return;
        tell('lost', 'Connection lost. New alerts are not shown until it is back. Trying again');
        if (mine.source.readyState === EventSource.CLOSED) retry(); // the browser tries by itself unless it was refused
    };
}

// A refused stream does not say why: the subscriptions do.
function retry(status) {
    const mine = open;
    tell('lost', 'Connection lost. New alerts are not shown until it is back. Trying again');
    clearTimeout(mine.timer);
    mine.timer = setTimeout(async () => {
        try {
            const page = await ask('GET', pathOf(mine.id) + '/alerts?after=' + mine.last + '&limit=1');
            if (open === mine) page.head >= mine.last && mine.last > 0 ? listen() : read(mine.id);
        } catch (error) {
            if (open !== mine) return;
            if (error.status === 401) askToSignIn('You were signed out. Sign in again.');
            else if (error.status === 404) choose();
            else if (error.status === 409) read(mine.id);
            else retry(error.status);
        }
    }, status === 401 ? 0 : mine.pause * (0.5 + Math.random()));
    mine.pause = Math.min(mine.pause * 2, LONGEST_PAUSE_MS);
}

// ---- One alert ----

function put(alert, live) {
    const data = alert.data || {};
    if (open.byNumber.has(data.number)) return; // a repeat: the number decides
    open.last = Math.max(open.last, data.number);
    open.numberOf.set(alert.id, data.number);
    const card = cardOf(alert, data);
    open.byNumber.set(data.number, { alert, card });

    let before = at('alerts').firstElementChild;
    while (before && Number(before.dataset.number) > data.number) before = before.nextElementSibling;
    at('alerts').insertBefore(card, before);
    if (data.kind === 'retraction') strike(alert, data);
    forgetOldest();
    at('empty').hidden = true;
    if (live) {
        card.firstElementChild.classList.add('arrived');
        announce(titleOf(alert, data) + ', ' + nameOf(data.patient));
    }
}

function forgetOldest() {
    while (at('alerts').childElementCount > KEPT) {
        const oldest = at('alerts').lastElementChild;
        const number = Number(oldest.dataset.number);
        open.numberOf.delete(open.byNumber.get(number).alert.id);
        open.byNumber.delete(number);
        oldest.remove();
    }
}

function titleOf(alert, data) {
    if (data.kind === 'retraction') {
        const number = open.numberOf.get(data.concerns);
        return number ? 'Alert ' + number + ' is taken back' : 'An earlier alert is taken back';
    }
    return HAPPENED[alert.type] || alert.type;
}

function cardOf(alert, data) {
    const item = make('li');
    item.dataset.number = data.number;
    const card = make('article', 'alert kind-' + (Object.hasOwn(KINDS, data.kind) ? data.kind : 'other'));
    const title = make('h3', '', titleOf(alert, data));
    title.id = 'alert-' + data.number;
    card.setAttribute('aria-labelledby', title.id);
    const top = make('p', 'top');
    top.append(make('span', 'kind', KINDS[data.kind] || data.kind), make('span', '', 'Alert ' + data.number));
    card.append(top, title);
    if (data.kind === 'retraction') card.append(meaningOf(data));
    if (data.late) card.append(make('p', 'meaning', 'This is late: you were already told of something that happened after it.'));
    if (data.patient || alert.subject) card.append(patientOf(alert, data.patient || {}));
    card.append(factsOf(alert, data), actsOf(data));
    item.append(card);
    return item;
}

function meaningOf(data) {
    const meaning = make('p', 'meaning');
    const original = open.byNumber.get(open.numberOf.get(data.concerns));
    if (original) {
        meaning.append(make('span', 'unseen', 'Taken back: '), make('del', '', titleOf(original.alert, original.alert.data)), '. ');
    }
    meaning.append('It did not happen, or not to this patient.');
    if (data.state) meaning.append(' The patient is now ', make('strong', '', STATES[data.state] || data.state), '.');
    return meaning;
}

// The alert that was taken back says so itself, wherever it stands in the list.
function strike(alert, data) {
    const original = open.byNumber.get(open.numberOf.get(data.concerns));
    if (!original || original.struck) return;
    original.struck = true;
    const title = original.card.querySelector('h3');
    const struck = make('del', '', title.textContent);
    title.replaceChildren(make('span', 'unseen', 'Taken back: '), struck);
    title.after(make('p', 'back', 'Taken back by alert ' + data.number));
    original.card.querySelector('.kind').textContent = KINDS.retraction;
    original.card.firstElementChild.classList.add('taken-back');
}

function nameOf(patient) {
    if (!patient || !(patient.familyName || patient.givenName)) return 'no name given';
    return [(patient.familyName || '').toUpperCase(), patient.givenName].filter(Boolean).join(', ');
}

function nhsNumberText(number) {
    return /^\d{10}$/.test(number) ? number.slice(0, 3) + ' ' + number.slice(3, 6) + ' ' + number.slice(6) : number;
}

function dayText(day) {
    const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
    return parts ? parts[3] + '-' + (MONTHS[parts[2] - 1] || parts[2]) + '-' + parts[1] : day;
}

function timeOf(text) {
    const time = make('time');
    const moment = new Date(text);
    time.dateTime = text;
    time.textContent = Number.isNaN(moment.getTime()) ? text
        : String(moment.getDate()).padStart(2, '0') + '-' + MONTHS[moment.getMonth()] + '-' + moment.getFullYear() + ' ' +
          String(moment.getHours()).padStart(2, '0') + ':' + String(moment.getMinutes()).padStart(2, '0');
    return time;
}

function patientOf(alert, patient) {
    const line = make('p', 'patient');
    const labelled = (label, text) => {
        const part = make('span', 'number');
        part.append(make('span', 'label', label + ' '), text);
        return part;
    };
    line.append(make('span', 'name', nameOf(patient)));
    if (patient.birthDate) line.append(labelled('Born', dayText(patient.birthDate)));
    const number = patient.nhsNumber || alert.subject;
    if (number) line.append(labelled('NHS No.', nhsNumberText(number)));
    else for (const local of (patient.localIds || []).slice(0, 2)) line.append(labelled(local.assigner + ' No.', local.value));
    return line;
}

function factsOf(alert, data) {
    const facts = make('dl', 'facts');
    const add = (label, value) => {
        if (!value) return;
        const description = make('dd');
        description.append(value);
        facts.append(make('dt', '', label), description);
    };
    const encounter = data.encounter || {};
    add('When', alert.time && timeOf(alert.time));
    add('Where', [encounter.organisation || data.publisher, encounter.ward && 'ward ' + encounter.ward,
        encounter.room && 'room ' + encounter.room, encounter.bed && 'bed ' + encounter.bed].filter(Boolean).join(', '));
    add('Kind of stay', CLASSES[encounter.class] || encounter.class);
    add('Consultant', encounter.consultant && (encounter.consultant.name || encounter.consultant.code));
    add('Going to', encounter.dischargeDestination);
    add('Care plan', data.carePlan && [data.carePlan.title, data.carePlan.status].filter(Boolean).join(', '));
    add('Document', data.document && (data.document.title || data.document.kind));
    for (const change of data.changes || [])
        add('Changed', String(change.at || '').split('/').pop() + ': ' + (change.was ?? 'nothing') + ' \u2192 ' + (change.is ?? 'nothing'));
    const roles = (data.because || []).map((reason) => ROLES[reason.role] || reason.role).filter(Boolean);
    add('Why you', roles.length > 0 && 'Registered with this patient as ' + [...new Set(roles)].join(' and '));
    return facts;
}

// ---- Opened ----

function actsOf(data) {
    const acts = make('div', 'acts');
    const button = make('button', '', 'Mark as opened');
    button.type = 'button';
    button.setAttribute('aria-describedby', 'alert-' + data.number);
    button.addEventListener('click', () => markOpened(button, data.number));
    acts.append(button);
    return acts;
}

// aria-disabled instead of disabled: a button that goes away would take the keyboard's place with it.
async function markOpened(button, number) {
    if (button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    const old = button.parentElement.querySelector('.problem');
    if (old) old.remove();
    try {
        await ask('POST', pathOf(open.id) + '/receipts', { number, state: 'opened', by: 'page' });
        button.textContent = '\u2713 Opened';
        announce('Alert ' + number + ' is marked as opened');
    } catch (error) {
        button.removeAttribute('aria-disabled');
        if (error.status === 401) {
            askToSignIn('You were signed out. Sign in again.');
            return;
        }
        const problem = make('p', 'problem', 'Not marked as opened. Try again.');
        problem.setAttribute('role', 'alert');
        button.after(problem);
    }
}

// Read out in one go what came within a second, so that a burst does not talk over itself.
const announcing = [];

function announce(text) {
    if (announcing.push(text) > 1) return;
    setTimeout(() => {
        const count = announcing.length;
        at('announcement').textContent = count > 3 ? count + ' new alerts' : announcing.join('. ');
        announcing.length = 0;
    }, 1000);
}

at('token-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const token = at('token').value.trim();
    at('token').value = '';
    if (token && (await signIn({ token }, 'That token is not known here, or has ended.'))) await choose();
});
at('sign-out').addEventListener('click', signOut);
at('look-again').addEventListener('click', choose);
at('subscription').addEventListener('change', () => read(at('subscription').value));
window.addEventListener('hashchange', () => {
    if (location.hash.startsWith('#code=')) begin();
});
begin();
