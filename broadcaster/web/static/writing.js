// An item: marks in its full text by buttons, what is pasted with its headings, lists, bold and links; its picture.
(() => {
  "use strict";
  const ids = ["full", "marks", "picture_file", "take-in", "whom"];
  const [box, marks, file, takeIn, whom] = ids.map((id) => document.getElementById(id));
  if (!box || !marks) return;
  [marks.hidden, takeIn.hidden] = [false, true];

  // a picture is handed in as soon as it is chosen; the draft is not kept for it beside that
  file.addEventListener("input", (event) => event.stopPropagation());
  file.addEventListener("change", (event) => {
    event.stopPropagation();
    if (!file.files.length) return;
    takeIn.form.requestSubmit(takeIn);
    [takeIn.hidden, takeIn.textContent] = [false, takeIn.dataset.busy];
  });
  // who ticks somebody means them, and who chooses everyone means nobody in particular
  whom.closest("fieldset").oninput = ({ target }) => {
    if (target.id !== "place_q") whom.checked = target.id !== "everyone";
    for (const one of whom.closest("fieldset").querySelectorAll("[name=audience]:checked")) one.checked = whom.checked;
    for (const one of document.querySelectorAll("#other_audience, .row")) one.disabled = !whom.checked;
  };

  // what a button saves is not kept beside it once more, as somebody's unsaved words
  let [leaving, typed] = [false, false];
  window.addEventListener("submit", (event) => (leaving = !event.defaultPrevented));
  // and who follows a link a moment after the last word loses none
  box.form.addEventListener("input", () => (typed = true));
  window.addEventListener("pagehide", () => {
    if (typed && !leaving) navigator.sendBeacon("/items/keep", new URLSearchParams(new FormData(box.form)));
  });
  // and who comes back by the browser's own button finds nothing busy
  window.addEventListener("pageshow", () => ([leaving, takeIn.hidden, file.value] = [false, true, ""]));
  document.addEventListener("htmx:before:request", (event) => {
    if (leaving && event.detail.ctx.sourceElement.id === "kept") event.preventDefault();
  });

  // as if it was typed, so that it can be taken back
  const put = (text) => {
    box.focus();
    if (document.execCommand("insertText", false, text)) return;
    box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  marks.addEventListener("click", (event) => {
    const { around, before, link } = event.target.dataset;
    const [start, end] = [box.selectionStart, box.selectionEnd];
    const chosen = box.value.slice(start, end);
    if (around) {
      put(around + chosen + around);
      box.setSelectionRange(start + around.length, start + around.length + chosen.length);
    } else if (before) {
      box.setSelectionRange(box.value.lastIndexOf("\n", start - 1) + 1, end);
      put(box.value.slice(box.selectionStart, end).replace(/^/gm, before));
    } else if (link) {
      put(`[${chosen || link}](https://)`);
      box.setSelectionRange(box.selectionStart - 1, box.selectionStart - 1);
    }
  });
  box.addEventListener("paste", async (event) => {
    const [html, plain] = ["text/html", "text/plain"].map((kind) => event.clipboardData.getData(kind));
    if (!html || html.length > 500_000) return;
    event.preventDefault();
    const body = new URLSearchParams({ html, form_token: box.form.elements.form_token.value });
    const answer = await fetch("/items/pasted", { method: "POST", body }).catch(() => null);
    put((answer && answer.ok && (await answer.text())) || plain);
  });
})();
