// The notebook around a figure or a form, where there is one: how a reader gets from an output back to its cells.
//
// JupyterLab's keys do not reach into what we mark with `data-lm-suppress-shortcuts`: there, letters are typed and arrows walk. What
// is a notebook's own, Shift+Enter and Escape, is handed back to it, as if it had been pressed on the cell.

// JupyterLab's keys are not for what has the focus in here.
export function keepKeys(target) {
  target.setAttribute("data-lm-suppress-shortcuts", "true");
  return target;
}

// This live figure will not be lower than it is now, nor what takes its place in its output: player.py asks for this property.
export function keepPlace(root) {
  root.style.minHeight = `${root.getBoundingClientRect().height}px`;
  root.closest(".jp-OutputArea")?.style.setProperty("--kitchen-height", root.style.minHeight);
}

// This figure takes the place of the live one, and its height, until its width changes. Whatever comes later does not.
export function takePlace(root) {
  root.style.minHeight = getComputedStyle(root).minHeight;
  root.closest(".jp-OutputArea")?.style.removeProperty("--kitchen-height");
}

// Gives the focus to the cell in whose output this stands; false where there is none.
export function backToCell(root) {
  const cell = root.closest(".jp-Cell");
  if (!cell) return false;
  if (!cell.hasAttribute("tabindex")) cell.tabIndex = -1;
  cell.focus({ preventScroll: true });
  return true;
}

// Lights up a line of code for some seconds, in the cell of this output or else in another one: where line number `line`, from 1 on,
// says `code`. It is an animation, since the editor would take back any change of its lines.
export function lightUp(root, line, code) {
  for (const cell of code ? [root.closest(".jp-Cell"), ...document.querySelectorAll(".jp-Cell")] : []) {
    const found = cell?.querySelectorAll(".cm-line")[line - 1];
    if (found?.textContent.trim() !== code) continue;
    const lit = { backgroundColor: getComputedStyle(root).getPropertyValue("--kitchen-ready"), color: "#000" };
    found.animate([lit, { ...lit, offset: 0.7 }, {}], 4000);
    return;
  }
}

// Presses a key on the cell in whose output this stands, or (`next`) on the one after it.
export function pressOnCell(root, { key, shiftKey = false, ctrlKey = false }, next = false) {
  let cell = root.closest(".jp-Cell");
  if (cell && next) cell = cellAfter(cell);
  if (!cell) return;
  const mouse = { bubbles: true, cancelable: true, button: 0 };
  for (const kind of ["mousedown", "mouseup"]) if (next) cell.dispatchEvent(new MouseEvent(kind, mouse)); // it becomes the active one
  backToCell(cell);
  cell.dispatchEvent(new KeyboardEvent("keydown", { key, code: key, keyCode: key === "Enter" ? 13 : 0, shiftKey, ctrlKey, bubbles: true, cancelable: true }));
}

// What a key does that an output has no use for itself: Shift+Enter and Ctrl+Enter run this cell (or `next`, the one after it),
// Escape goes back to the cell. No key is anybody else's.
export function handBack(root, event, next = false) {
  event.stopPropagation();
  if (event.key === "Enter" && (event.shiftKey || event.ctrlKey)) {
    event.preventDefault();
    pressOnCell(root, event, next);
  } else if (event.key === "Escape") backToCell(root);
}

function cellAfter(cell) {
  let after = cell.nextElementSibling;
  while (after && !after.matches(".jp-Cell")) after = after.nextElementSibling;
  return after;
}
