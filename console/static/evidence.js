// Tables whose rows are picked by pointer or keyboard, ticks, and files that are sent to be verified as they lie on disk.
(() => {
  "use strict";

  // What a hidden text field of Gradio's holds, as if somebody had typed it.
  const put = (id, value) => {
    const field = document.querySelector(`#${id} textarea, #${id} input`);
    if (!field) return;
    const kind = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(field, value);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  let times = 0;
  let wanted = "";
  let origin = null;
  const pick = (row) => {
    const table = row.closest("table");
    for (const other of table.querySelectorAll("[data-pick]")) other.toggleAttribute("data-picked", other === row);
    rove(table, row);
    wanted = row.dataset.pick;
    origin = row;
    put(table.dataset.into, `${row.dataset.pick} ${++times}`); // a number, so that picking it again is news
  };
  const back = () => {
    if (origin && origin.isConnected) origin.focus();
  };
  const rove = (table, row) => {
    for (const other of table.querySelectorAll("[data-pick]")) other.tabIndex = other === row ? 0 : -1;
  };
  const tick = (table) => {
    const marked = [...table.querySelectorAll("[data-tick]:checked")].map((box) => box.dataset.tick);
    put(table.dataset.ticks, marked.join(" "));
  };

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const button = event.target.closest("button[data-into]");
    if (button) return put(button.dataset.into, `${button.dataset.value} ${++times}`);
    if (event.target.closest("[data-back]")) return back();
    if (event.target.closest("a, input, label, .tick")) return;
    const row = event.target.closest("tr[data-pick]");
    if (row) pick(row);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick]")) tick(event.target.closest("table"));
    if (event.target.matches("[data-verify] input[type=file]") && event.target.files.length)
      send(event.target.closest("[data-verify]"), event.target.files[0]);
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.key === "Escape" && event.target.closest(".record")) return back();
    const row = event.target.closest("tr[data-pick]");
    if (!row || event.target.matches("input")) return;
    const rows = [...row.closest("table").querySelectorAll("[data-pick]")];
    const at = rows.indexOf(row);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) {
      const next = rows[Math.min(Math.max(to, 0), rows.length - 1)];
      rove(row.closest("table"), next);
      next.focus();
    } else if (event.key === "Enter") {
      pick(row);
    } else if (event.key === " ") {
      const box = row.querySelector("[data-tick]");
      if (box) {
        box.checked = !box.checked;
        tick(row.closest("table"));
      } else pick(row);
    } else return;
    event.preventDefault();
  });

  // What was picked gets the focus when it has come; a new list has no ticks.
  new MutationObserver(() => {
    const heading = wanted && document.querySelector(`[data-focus="${CSS.escape(wanted)}"]`);
    if (heading) {
      wanted = "";
      heading.focus({ preventScroll: true });
      heading.scrollIntoView({ block: "start" });
    }
    for (const list of document.querySelectorAll("datalist[data-offers]")) {
      const field = document.querySelector(`#${list.dataset.offers} input`);
      if (field && field.getAttribute("list") !== list.id) field.setAttribute("list", list.id);
    }
    for (const table of document.querySelectorAll("table[data-ticks]:not([data-seen])")) {
      table.dataset.seen = "";
      put(table.dataset.ticks, "");
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  // A file to be verified: streamed to the console, which streams it on; nothing of it is kept.
  const say = (box, kind, text) => {
    const told = document.createElement("p");
    told.className = kind;
    told.textContent = text;
    box.querySelector(".told").replaceChildren(told);
  };
  const send = (box, file) => {
    const words = box.dataset;
    const bar = box.querySelector("progress");
    box.querySelector("input").value = "";
    if (file.size > Number(words.most)) return say(box, "failed", words.large);
    if (!file.size) return say(box, "failed", words.hollow);
    const call = new XMLHttpRequest();
    call.open("POST", words.verify);
    call.upload.onprogress = (event) => {
      bar.value = event.total ? event.loaded / event.total : 0;
      if (event.loaded === event.total) {
        bar.removeAttribute("value");
        say(box, "empty", words.judging);
      }
    };
    call.onload = () => {
      bar.hidden = true;
      if (call.status === 401) return location.assign("/signin");
      if ((call.getResponseHeader("content-type") || "").startsWith("text/html"))
        box.querySelector(".told").innerHTML = call.responseText;
      else say(box, "failed", words.broken);
    };
    call.onerror = () => {
      bar.hidden = true;
      say(box, "failed", words.broken);
    };
    bar.hidden = false;
    bar.value = 0;
    say(box, "empty", words.sending);
    call.send(file);
  };
  for (const name of ["dragover", "dragleave", "drop"])
    document.addEventListener(name, (event) => {
      const box = event.target instanceof Element && event.target.closest("[data-verify]");
      if (!box) return;
      event.preventDefault();
      box.toggleAttribute("data-over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) send(box, event.dataTransfer.files[0]);
    });
})();
