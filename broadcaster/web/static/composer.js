// Items are dragged between columns, or moved with Alt and the arrows; both only press what stands on the page.
(() => {
  "use strict";
  const form = document.getElementById("drag");
  const put = (event) => {
    form.elements.placement.value = event.item.dataset.placement;
    form.elements.column.value = event.to.dataset.column;
    form.elements.position.value = event.newIndex;
    form.requestSubmit();
  };
  if (form && window.Sortable) {
    for (const list of document.querySelectorAll(".placed")) {
      window.Sortable.create(list, { group: "items", handle: ".grip", animation: 0, onEnd: put });
    }
  }
  document.addEventListener("keydown", (event) => {
    const way = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    const row = event.target.closest && event.target.closest("[data-placement]");
    if (!event.altKey || !way || !row || event.isComposing) return;
    const button = row.querySelector(`button[value="${way}"]`);
    if (!button) return;
    event.preventDefault();
    button.click();
  });
  // the page was loaded anew by a move: whoever works with the keyboard goes on where they were
  document.getElementById(location.hash.slice(1))?.focus();
})();
