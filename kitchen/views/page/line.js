// The line from outputs of a page to the kernel that made them: an anywidget that is never shown, only there (line.py).

// An output that comes to life says `kitchen:asks`, and hears `kitchen:line`: that there is a kernel, and its state; or that it
// has gone. What an output tells or wants, as `kitchen:answered` or `kitchen:wanted`, goes to the kernel as a message, and not as a
// change of state, which would wait while the kernel is busy. What the kernel says comes as `kitchen:told`. `detail.data`: whose
// line it is.
function initialize({ model }) {
  const data = model.get("data");
  const over = new AbortController();
  const on = (kind, react) => {
    const hear = (event) => Object.entries(data).every(([name, value]) => event.target.dataset?.[name] === value) && react(event);
    document.addEventListener(kind, hear, { signal: over.signal });
  };
  const tell = (kind, detail) => document.dispatchEvent(new CustomEvent(kind, { detail: { data, ...detail } }));
  const isThere = () => tell("kitchen:line", { gone: false, state: model.get("state") });
  const close = () => {
    if (over.signal.aborted) return;
    over.abort();
    tell("kitchen:line", { gone: true });
  };
  for (const kind of ["kitchen:answered", "kitchen:wanted"]) on(kind, ({ detail }) => model.send(detail));
  on("kitchen:asks", isThere);
  model.on("msg:custom", (said) => tell("kitchen:told", { said }));
  for (const end of ["comm:close", "comm_live_update"]) model.on(end, close);
  isThere();
  return close;
}

export default { initialize };
