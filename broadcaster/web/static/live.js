// What lives on a page: parts that come again by themselves, and a sign-in that ended while somebody wrote.
(() => {
  "use strict";
  const [LONG, TWICE] = [120_000, 10_000];
  const [dialog, lost] = ["sign-in", "lost"].map((id) => document.getElementById(id));
  let [composing, sure, heard, going] = [false, null, performance.now(), null];
  const goOn = new Map();
  const comesAgain = (source) => /every/.test(source.getAttribute("hx-trigger") || "");

  for (const [name, is] of [["compositionstart", true], ["compositionend", false]]) {
    document.addEventListener(name, () => (composing = is), true);
  }
  document.addEventListener("htmx:before:request", (event) => {
    if (composing || (document.hidden && comesAgain(event.detail.ctx.sourceElement))) event.preventDefault();
  });
  document.addEventListener("htmx:before:response", (event) => {
    const { response, sourceElement } = event.detail.ctx;
    lost.hidden = true;
    const again = () => sourceElement.dispatchEvent(new Event("again"));
    if (response.headers.get("X-Signed-In-Anew")) {
      // in another tab: if it is the same person, the page goes on with what is good now
      event.preventDefault();
      fetchToken().then((token) => token && (renew(token), comesAgain(sourceElement) || again()), () => {});
      return;
    }
    if (response.status !== 401) return void (heard = performance.now());
    event.preventDefault();
    if (sourceElement.closest("dialog")) {
      // the password was typed too long ago for its code
      window.htmx.ajax("GET", "/login?dialog=1", { target: "#sign-in-step", swap: "outerHTML" });
      return;
    }
    // what comes by itself comes again
    ask(sourceElement, comesAgain(sourceElement) ? null : again);
  });
  document.addEventListener("htmx:error", () => (lost.hidden = false));
  document.addEventListener("htmx:after:swap", () => {
    const step = document.getElementById("sign-in-step");
    if (!step || !dialog.open) return;
    if (!step.dataset.formToken) {
      step.querySelector("[aria-invalid], input:not([type=hidden])")?.focus();
      return;
    }
    renew(step.dataset.formToken);
    delete step.dataset.formToken;
    dialog.close();
    for (const go of goOn.values()) go();
    goOn.clear();
  });

  // pressed twice is meant once; with a file, or on a page open for long, it is first seen whether one is signed in still
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post" || form.closest("dialog") || event.defaultPrevented) return;
    const said = form.action + new URLSearchParams(new FormData(form, event.submitter));
    if (said === going && sure !== form) return event.preventDefault();
    [going] = [said, setTimeout(() => (going = null), TWICE)];
    const hasFile = [...form.elements].some((each) => each.files && each.files.length);
    if (!dialog || sure === form || (!hasFile && performance.now() - heard < LONG)) return (sure = null);
    event.preventDefault();
    const again = () => ((sure = form), form.requestSubmit(event.submitter));
    try {
      const token = await fetchToken();
      if (token === null) return ask(form, again);
      // somebody else has signed in meanwhile: the server says so, and does nothing
      token ? renew(token) : (heard = performance.now());
      again();
    } catch {
      [going, lost.hidden] = [null, false];
    }
  });

  // a row of a rule suggests the values of what is chosen in it
  document.addEventListener("focusin", ({ target }) => {
    const asked = target.name === "value" && target.closest(".row")?.querySelector("[name=field]");
    if (asked) target.setAttribute("list", `values-${asked.selectedIndex}`);
  });

  document.addEventListener("keydown", (event) => {
    if (!event.ctrlKey || event.key.toLowerCase() !== "k" || event.isComposing) return;
    const [field, link] = ["seek", "seek-link"].map((id) => document.getElementById(id));
    if (field || link) event.preventDefault();
    field ? field.select() : link?.click();
  });

  // null: nobody is signed in; "": somebody else is, and not who opened this page
  async function fetchToken() {
    const own = document.querySelector("[name=form_token]").value;
    const answer = await fetch("/login/here?live=1", { headers: { "X-Form-Token": own } });
    if (answer.status === 401) return null;
    return answer.ok ? answer.text() : "";
  }

  function ask(whose, then) {
    if (then) [going] = [null, goOn.set(whose, then)];
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[type=password]")?.focus();
  }

  function renew(token) {
    [heard, lost.hidden] = [performance.now(), true];
    for (const field of document.querySelectorAll("[name=form_token]")) field.value = token;
  }
})();
