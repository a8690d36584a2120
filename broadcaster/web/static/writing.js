// The full text of an item: marks by buttons, and what is pasted with its headings, lists, bold and links.
(() => {
  "use strict";
  const box = document.getElementById("full");
  const marks = document.getElementById("marks");
  if (!box || !marks) return;
  marks.hidden = false;

  // as if it was typed, so that it can be taken back
  const put = (text) => {
    box.focus();
    if (!document.execCommand("insertText", false, text)) {
      box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
      box.dispatchEvent(new Event("input", { bubbles: true }));
    }
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
