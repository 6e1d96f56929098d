// What a reader has answered, as her browser keeps it: by the kernel that asked (`session`) and by question. The page's outputs
// tell each other by events: `kitchen:answered` goes up from a form, and `kitchen:forgotten` comes from the document.

const here = new Map(); // for as long as the page is open, where the browser keeps nothing
const BEGINNING = "kitchen/";

const nameOf = ({ session, question }) => `${BEGINNING}${session}/${question}`;

// The browser's store; null where it has none for us.
function store() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

// The names under which something is kept, the newest last.
function names() {
  const all = new Set([...here.keys(), ...Object.keys(store() ?? {})].filter((name) => name.startsWith(BEGINNING)));
  const when = (name) => read(name)?.when ?? 0;
  return [...all].sort((one, other) => when(one) - when(other));
}

function read(name) {
  if (here.has(name)) return here.get(name);
  try {
    return JSON.parse(store()?.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

// The answer that was given at this place; null: none.
export function kept(place) {
  return read(nameOf(place))?.answer ?? null;
}

// The last answer to the same question that another kernel was given; null: none.
export function before(place) {
  const others = names().filter((name) => name.endsWith(`/${place.question}`) && name !== nameOf(place));
  return others.length ? (read(others.at(-1))?.answer ?? null) : null;
}

// Keeps an answer; null takes it back.
export function keep(place, answer) {
  const name = nameOf(place);
  if (answer === null) {
    here.delete(name);
    store()?.removeItem(name);
    return;
  }
  const entry = { answer, when: Date.now() };
  here.set(name, entry);
  try {
    store()?.setItem(name, JSON.stringify(entry));
  } catch {
    store()?.removeItem(name); // it is full: only the page has the new one, and nobody is to read the old one
  }
}

// Forgets every answer, of all pages that share this store, and tells all forms so.
export function forget() {
  for (const name of names()) {
    here.delete(name);
    store()?.removeItem(name);
  }
  document.dispatchEvent(new CustomEvent("kitchen:forgotten"));
}

// Where an output's answers belong.
export function placeOf(root) {
  return { session: root.dataset.kitchenSession, question: root.dataset.kitchenQuestion };
}

// Has `owner` hear of an event of the page's for as long as there is that owner, which is handed to `react`.
export function hears(owner, kind, react) {
  const weak = new WeakRef(owner);
  const hear = (event) => {
    const there = weak.deref();
    if (there) react(there, event);
    else document.removeEventListener(kind, hear);
  };
  document.addEventListener(kind, hear);
}
