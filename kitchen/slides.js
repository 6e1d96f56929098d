// Shows one slide at a time; its number is in the address ("#7"), so that a reload and a bookmark lead back to it.
// Where no script may run, all slides stand one below the other.
{
  const slides = [...document.querySelectorAll(".slide")]
  const buttons = [...document.querySelectorAll("nav button")]
  const pages = { PageDown: 1, PageUp: -1, " ": 1 } // a presenter's remote control sends the first two
  const arrows = { ArrowRight: 1, ArrowLeft: -1 }
  let shown = 0

  const show = (number) => {
    shown = Math.min(Math.max(number, 0), slides.length - 1)
    slides.forEach((slide, other) => { slide.hidden = other !== shown })
    document.querySelector("nav output").textContent = `${shown + 1} / ${slides.length}`
    buttons.forEach((button) => { button.disabled = !slides[shown + Number(button.dataset.step)] })
    scrollTo(0, 0)
    slides[shown].focus({ preventScroll: true })
  }
  const named = () => show((parseInt(location.hash.slice(1)) || 1) - 1)
  const go = (number) => { // history.replaceState: the way back in the browser is to the other deck, not through slides
    show(number)
    history.replaceState(null, "", `#${shown + 1}`)
  }
  // Whether a slide goes on beyond the edge of the window, there where one is going.
  const goesOn = (step) => {
    const page = document.documentElement
    return step > 0 ? page.scrollTop + innerHeight < page.scrollHeight - 2 : page.scrollTop > 2
  }

  addEventListener("keydown", (event) => {
    const elsewhere = event.target.closest?.(".kitchen, .kitchen-asks, input, textarea, select, button, summary")
    if (event.defaultPrevented || elsewhere || event.ctrlKey || event.altKey || event.metaKey) return
    const step = event.key === " " && event.shiftKey ? -1 : pages[event.key]
    const turn = step ? !goesOn(step) && step : arrows[event.key] // what is not turned, the browser scrolls
    if (turn) go(shown + turn)
    else if (event.key === "Home") go(0)
    else if (event.key === "End") go(slides.length - 1)
    else return
    event.preventDefault()
  })
  for (const button of buttons) button.addEventListener("click", () => go(shown + Number(button.dataset.step)))
  addEventListener("hashchange", named)
  named()
}
