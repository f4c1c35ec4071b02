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
  const tellClock = () => { clock.textContent = local ? `Times: ${zone}` : "Times: UTC"; };
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

  // --- the live tail -------------------------------------------------------------------------------
  const MOST = 200;
  const follow = (table) => {
    const body = table.querySelector("tbody");
    const said = document.querySelector("[data-live-said]");
    const button = document.querySelector("[data-live-pause]");
    let last = table.dataset.seq;
    let stream = null;
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
      const address = new URL(table.dataset.live, location.href);
      address.searchParams.set("from", last);
      stream = new EventSource(address);
      stream.addEventListener("open", () => say("live", "good"));
      stream.addEventListener("error", () => say("reconnecting", "wait"));
      stream.addEventListener("message", arrive);
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      const paused = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!paused));
      button.textContent = paused ? "Pause" : "Go on";
      if (paused) { begin(); return; }
      stream.close();
      say("paused", "wait");
    });
    addEventListener("pagehide", () => stream.close());
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
  const plot = (place) => {
    const [at, ...counts] = JSON.parse(document.getElementById(place.dataset.plot).textContent);
    const style = getComputedStyle(document.documentElement);
    const ink = (name) => style.getPropertyValue(name).trim();
    const series = ["accepted", "repeated", "refused"].map((label, n) => {
      const colour = ink(["--good", "--busy", "--bad"][n]);
      return { label, stroke: colour, width: 2, fill: `${colour}1f`, points: { show: false } };
    });
    const axis = { stroke: ink("--dim"), grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false } };
    const made = new uPlot({
      width: place.clientWidth,
      height: 220,
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_, __, most) => [0, Math.max(4, most * 1.1)] } },
      axes: [axis, { ...axis, size: 44 }],
      series: [{ label: "minute" }, ...series],
    }, [at, ...counts], place);
    addEventListener("resize", () => made.setSize({ width: place.clientWidth, height: 220 }));
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
