// Only lessons whose card, title or question holds every word that was typed.
(function () {
  const field = document.getElementById("filter"), found = document.getElementById("found");
  const cards = [...document.querySelectorAll(".card")];
  field.addEventListener("input", function () {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const card of cards) {
      const holds = words.every((word) => (card.textContent + " " + card.dataset.words).toLowerCase().includes(word));
      card.hidden = !holds;
      count += holds;
    }
    found.textContent = words.length ? count + " of " + cards.length : "";
  });
})();
