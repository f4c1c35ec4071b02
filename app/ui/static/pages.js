// What the pages do beyond being read: local times, the live tail, copying, picking all, the plot.
"use strict";
(() => {
  const each = (selector, root, act) => root.querySelectorAll(selector).forEach(act);

  // --- times: local where wanted, UTC in the title ---------------------------------------------
  const clock = document.querySelector("[data-clock]");
  let local = localStorage.getItem("clock") !== "utc";
  const day = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const tell = (time) => {
    time.textContent = local ? day.format(new Date(time.dateTime)) : time.title;
  };
  const times = (root) => each("time[datetime]", root, tell);
  const tellClock = () => {
    const said = local ? zone : "UTC";
    clock.textContent = `Times: ${said}`;
    each("[data-clock-said]", document, (place) => { place.textContent = said; });
  };
  if (clock) {
    clock.hidden = false;
    tellClock();
    clock.addEventListener("click", () => {
      local = !local;
      localStorage.setItem("clock", local ? "local" : "utc");
      tellClock();
      times(document);
    });
  }

  // --- the page that is shown, where the row of pages is longer than the screen ------------------
  // (scrollIntoView would have the first press of Tab begin there, behind the way past the header)
  const row = document.querySelector(".top nav");
  const shown = row?.querySelector("a[aria-current]")?.getBoundingClientRect();
  if (shown) row.scrollLeft += shown.left + shown.width / 2 - row.getBoundingClientRect().left - row.clientWidth / 2;

  // --- the live tail -------------------------------------------------------------------------------
  const MOST = 200;
  const AGAIN = 2000;
  const follow = (table) => {
    const body = table.querySelector("tbody");
    const said = document.querySelector("[data-live-said]");
    const button = document.querySelector("[data-live-pause]");
    let last = table.dataset.seq;
    let stream = null;
    let paused = false;
    const say = (word, tone) => {
      said.textContent = word;
      said.className = `chip ${tone}`;
    };
    const arrive = (event) => {
      last = event.lastEventId;
      const made = document.createElement("template");
      made.innerHTML = event.data;
      times(made.content);
      each("tr", made.content, (row) => row.classList.add("fresh"));
      body.prepend(made.content);
      while (body.rows.length > MOST) body.deleteRow(-1);
      document.querySelector("[data-none]")?.remove();
      table.hidden = false;
    };
    const begin = () => {
      stream?.close();
      if (paused || document.hidden) return;
      const address = new URL(table.dataset.live, location.href);
      address.searchParams.set("from", last);
      stream = new EventSource(address);
      stream.addEventListener("open", () => say("live", "good"));
      stream.addEventListener("error", broken);
      stream.addEventListener("message", arrive);
      stream.addEventListener("far", () => location.reload());
    };
    // a browser comes back by itself, but not to an answer that is no stream: of a proxy whose
    // listener is away, or of the door when the session is over
    const broken = () => {
      say("reconnecting", "wait");
      if (stream.readyState === EventSource.CLOSED) setTimeout(again, AGAIN);
    };
    const again = async () => {
      const answer = await fetch(location.href, { redirect: "manual" }).catch(() => null);
      if (answer?.type === "opaqueredirect") location.reload();
      else begin();
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      paused = !paused;
      button.setAttribute("aria-pressed", String(paused));
      button.textContent = paused ? "Go on" : "Pause";
      begin();
      if (paused) say("paused", "wait");
    });
    // of one host a browser keeps six connections: a tab nobody looks at gives its own back
    document.addEventListener("visibilitychange", begin);
    addEventListener("pagehide", () => stream?.close());
    begin();
  };

  // --- small things ------------------------------------------------------------------------------
  const copy = (button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy).textContent;
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    });
  };
  const all = (box) => {
    box.closest("label").hidden = false;
    box.addEventListener("change", () => {
      each(`input[name="${box.dataset.all}"]`, document, (one) => { one.checked = box.checked; });
    });
  };

  // --- the plot ------------------------------------------------------------------------------------
  const SERIES = [["accepted", "--good"], ["repeated", "--busy"], ["refused", "--bad"]];
  const numbers = (place) => {
    const rows = [...document.querySelectorAll(`#${place.dataset.plot} tbody tr`)].reverse();
    const cell = (row, n) => Number.parseInt(row.cells[n].textContent.replaceAll(",", ""), 10);
    const at = rows.map((row) => Date.parse(row.querySelector("time").dateTime) / 1000);
    return [at, ...SERIES.map((_, n) => rows.map((row) => cell(row, n + 1)))];
  };
  const minute = (seconds) => {
    const zone = local ? undefined : "UTC";
    return new Date(seconds * 1000).toLocaleTimeString("sv-SE", { timeStyle: "short", timeZone: zone });
  };
  const plot = (place) => {
    const style = getComputedStyle(document.documentElement);
    const ink = (name) => style.getPropertyValue(name).trim();
    const series = SERIES.map(([label, colour]) => ({
      label, stroke: ink(colour), width: 2, fill: `${ink(colour)}1f`, points: { show: false },
    }));
    const axis = { stroke: ink("--dim"), grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false } };
    const made = new uPlot({
      width: place.clientWidth,
      height: 200,
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_, __, most) => [0, Math.max(4, most * 1.1)] } },
      axes: [
        { ...axis, values: (_, at) => at.map(minute) },
        { ...axis, size: 48, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000] },
      ],
      series: [{ label: "minute", value: (_, at) => (at === null ? "–" : minute(at)) }, ...series],
    }, numbers(place), place);
    addEventListener("resize", () => made.setSize({ width: place.clientWidth, height: 200 }));
    document.addEventListener("htmx:after:swap", () => made.setData(numbers(place)));
  };

  const ready = (root) => {
    times(root);
    each("[data-live]", root, follow);
    each("[data-copy]", root, copy);
    each("[data-all]", root, all);
    each("[data-plot]", root, plot);
    each("[data-now]", root, (one) => one.addEventListener("change", () => one.form.requestSubmit()));
    each("form[data-sure]", root, (form) => form.addEventListener("submit", (event) => {
      if (!confirm(form.dataset.sure)) event.preventDefault();
    }));
  };
  ready(document);
  document.addEventListener("htmx:after:swap", (event) => {
    times(event.target.nodeType ? event.target : document);
  });
})();
