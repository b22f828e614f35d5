// JupyterLab takes arrows, Enter and Space for the notebook wherever the focus is not in a text field. It leaves alone
// the elements that bear this mark, so that a card's own controls answer to the keyboard.
const CONTROLS = "button, select, input, textarea, [tabindex]";

function free(card) {
  for (const control of card.querySelectorAll(CONTROLS)) control.setAttribute("data-lm-suppress-shortcuts", "true");
}

function render({ el }) {
  el.style.display = "none";
  let waiting = 0;
  let observer = null;
  const start = () => {
    const card = el.closest(".dlexplain-card");
    if (!card) {
      waiting = requestAnimationFrame(start); // not yet on the page
      return;
    }
    free(card);
    observer = new MutationObserver(() => free(card));
    observer.observe(card, { childList: true, subtree: true });
  };
  waiting = requestAnimationFrame(start);
  return () => {
    cancelAnimationFrame(waiting);
    observer?.disconnect();
  };
}

export default { render };
