"use strict";
const $ = id => document.getElementById(id);
const make = (tag, text, attributes = {}) => { const e = Object.assign(document.createElement(tag), attributes); if (text != null) e.textContent = text; return e; };
const at = (kind, name = "") => `${kind}/${name.split("/").map(encodeURIComponent).join("/")}`;
const stem = name => name.split("/").pop().replace(/\.\w+$/, "");
const words = name => stem(name).replaceAll("_", " ");
const title = text => text.charAt(0).toUpperCase() + text.slice(1);
const BUSY = ["starting", "painting", "stopping"];
let offer, order, job = {phase: "idle"}, past = [], view = null; // view: a run of the past that is shown

// ---- the server

async function ask(path, options) {
  let answer;
  try { answer = await fetch(path, options); } catch { throw new Error("nst-serve does not answer: has it ended?"); }
  const told = await answer.json().catch(() => ({error: `the answer cannot be read (${answer.status})`}));
  if (!answer.ok) throw new Error(told.error);
  return told;
}
const post = (path, value) => ask(path, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(value)});

async function attempt(work) {
  trouble("");
  try { return await work(); } catch (error) { trouble(title(error.message)); return null; }
}
function trouble(text) { $("trouble").textContent = text; $("trouble").hidden = !text; }
function say(text) { if ($("news").textContent !== text) $("news").textContent = text; }

// ---- the pictures

function strip(kind) {
  const own = offer.pictures.own.filter(name => !(kind === "photo" ? offer.pictures.paintings : offer.pictures.photos).includes(name));
  const list = [...own, ...offer.pictures[kind + "s"]];
  $(kind + "-strip").replaceChildren(...list.map(name => {
    const label = make("label"), input = make("input", null, {type: "radio", name: kind, value: name, checked: order[kind] === name});
    input.setAttribute("aria-label", words(name)); label.title = words(name);
    input.onchange = () => choose(kind, name);
    label.append(input, make("img", null, {src: at("picture", name), alt: "", loading: "lazy"}));
    return label;
  }));
}

function choose(kind, name) {
  if (kind === "photo" && order.photo !== name) order.keep = null;
  order[kind] = name; view = null;
  if (!BUSY.includes(job.phase)) job = {...job, phase: "idle"};
  const image = $(kind + "-shown");
  image.src = at("picture", name); image.alt = `${kind === "photo" ? "The photograph" : "The painting"}: ${words(name)}`;
  for (const input of document.querySelectorAll(`input[name=${kind}]`)) {
    input.checked = input.value === name;
    if (input.checked) $(kind + "-strip").scrollLeft = Math.max(0, input.parentElement.offsetLeft - $(kind + "-strip").offsetLeft - 60);
  }
  settle(); show();
}

async function upload(kind, file) {
  if (!file) return;
  const box = $(kind + "-file").closest(".drop");
  box.classList.add("busy");
  const kept = await attempt(() => ask(`picture?name=${encodeURIComponent(file.name)}`, {method: "POST", body: file}));
  box.classList.remove("busy");
  $(kind + "-file").value = "";
  if (!kept) return;
  offer.pictures.own = [kept.name, ...offer.pictures.own.filter(name => name !== kept.name)];
  strip("photo"); strip("painting"); choose(kind, kept.name);
  say(`${words(kept.name)} is the ${kind === "photo" ? "photograph" : "painting"}, ${kept.width} by ${kept.height} pixels`);
}

function listen(box, kind) {
  const mark = $(kind + "-file").closest(".drop");
  box.addEventListener("dragover", e => { e.preventDefault(); e.stopPropagation(); mark.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) box.addEventListener(name, () => mark.classList.remove("over"));
  box.addEventListener("drop", e => { e.preventDefault(); e.stopPropagation(); upload(kind, e.dataTransfer.files[0]); });
}

// ---- the settings

function pills(id, key, rows) {
  $(id).replaceChildren(...rows.map(row => {
    const label = make("label"), input = make("input", null, {type: "radio", name: key, value: row.name, checked: order[key] === row.name});
    input.onchange = () => { order[key] = row.name; settle(); };
    label.append(input, make("span", key === "method" ? row.about.split(":")[0] : title(row.name)));
    return label;
  }));
}

function options(id, key, rows) {
  $(id).replaceChildren(...rows.map(([name, text]) => make("option", text, {value: name, selected: order[key] === name})));
}

function networks(here) {
  const known = Object.entries(offer.networks).filter(([name]) => here.includes(name) || name === order.network);
  if (known.length !== $("network").length) options("network", "network", known.map(([name, about]) => [name, `${name} (${about})`]));
}

function settle() { // bring the page to what is chosen
  const fits = offer.look_networks.includes(order.network), optimise = order.method === "optimise";
  if (!fits) order.look = "plain";
  for (const input of document.querySelectorAll("input[name=look]")) { input.disabled = !fits && input.value !== "plain"; input.checked = input.value === order.look; }
  for (const e of document.querySelectorAll(".for-optimise, #look-box")) e.hidden = !optimise;
  for (const e of document.querySelectorAll(".for-instant")) e.hidden = optimise;
  $("look-about").textContent = fits ? offer.looks.find(l => l.name === order.look).about : `The looks are made for ${offer.look_networks.join(", ")}.`;
  $("method-about").textContent = title(offer.methods.find(m => m.name === order.method).about.split(": ")[1]);
  $("size-shown").textContent = `${order.size} px`; $("steps-shown").textContent = order.steps;
  $("strength-shown").textContent = `${Math.round(100 * order.strength)} %`;
  $("size").setAttribute("aria-valuetext", `${order.size} pixels of the longer side`);
  $("mask-open").textContent = order.keep ? "Change" : "Paint a mask"; $("mask-open").setAttribute("aria-label", order.keep ? "Change the mask" : "Paint a mask of what stays"); $("mask-remove").hidden = !order.keep;
  clearTimeout(settle.timer); settle.timer = setTimeout(tell, 150);
}

async function tell() { // the command
  const known = view ? view.command : job.phase === "idle" ? null : job.command;
  const whole = view ? !view.unfinished : job.phase === "done";
  $("how-what").textContent = known ? whole ? "This line makes the same picture." : "This line makes this picture, with all of its steps." : "This line makes the picture that the button paints.";
  const told = known ? {command: known} : await post("command", order).catch(error => ({command: error.message}));
  $("command").textContent = told.command;
}

// ---- the picture

const seconds = s => s < 90 ? `${Math.max(1, Math.round(s))} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`;

function state() { // what is shown, in words
  if (view) return `${title(words(view.title))}, ${view.when}${view.unfinished ? ". It was stopped on its way." : ""}`;
  const of = job.steps ? `Step ${job.step} of ${job.steps}` : "", left = job.left ? `, about ${seconds(job.left)} left` : "";
  const loss = job.loss == null ? "" : ` · loss ${Number(job.loss.toPrecision(4)).toLocaleString("en")}`;
  return {
    idle: "Choose a photograph and a painting, then press Paint.", starting: "Getting ready: the pictures are read and the program is made. This takes a few seconds.",
    painting: of + left + loss, stopping: "Stopping. What is there is kept.",
    done: order.method === "instant" && !job.step ? "Done." : `Done: ${job.step} steps${loss}`,
    stopped: `Stopped at step ${job.step} of ${job.steps}. It can go on from here.`, failed: "",
  }[job.phase];
}

function show() {
  const busy = BUSY.includes(job.phase), photo = view ? at("before", view.path) : at("picture", job.photo && job.phase !== "idle" ? job.photo : order.photo);
  const painted = view ? at("runs", view.picture) : job.phase === "idle" ? null : job.result && ["done", "stopped"].includes(job.phase) ? `result?of=${job.preview}` : job.preview && job.step != null && job.painted ? `live?of=${job.preview}` : null;
  picture($("after"), painted ?? photo);
  $("after").alt = view ? `The picture: ${words(view.title)}` : painted ? `The picture, step ${job.step}` : `The photograph: ${words(order.photo)}`;
  const comparable = Boolean(painted) && (Boolean(view) || Boolean(job.photo)) && !masking;
  if (comparable) picture($("before"), photo);
  $("before").alt = "The photograph";
  for (const id of ["before", "divider", "compare"]) $(id).hidden = !comparable;
  $("frame").classList.toggle("wiping", comparable);
  $("status").hidden = Boolean(masking); $("status").textContent = state();
  $("progress").hidden = !busy || Boolean(view);
  if (job.phase === "painting" && job.steps) $("progress").value = job.step / job.steps; else $("progress").removeAttribute("value");
  $("paint").hidden = busy; $("stop").hidden = !busy; $("stop").disabled = job.phase === "stopping";
  $("back").hidden = !view; $("resume").hidden = busy || !(view ? view.unfinished : job.phase === "stopped");
  const file = view ? view.picture.endsWith("latest.png") ? null : at("runs", view.picture) : job.result && ["done", "stopped"].includes(job.phase) ? "result" : null;
  $("download").hidden = !file;
  if (file) { const name = `${stem(view ? view.path.split("/")[0] : job.name ?? "picture")}${file === "result" ? job.result.match(/\.\w+$/)[0] : view.picture.match(/\.\w+$/)[0]}`; $("download").href = `${file}?name=${encodeURIComponent(name)}`; $("download").download = name; }
  $("actions").hidden = Boolean(masking) || (!view && job.phase === "idle"); $("how").hidden = $("go").hidden = Boolean(masking);
}

function picture(image, source) { // no flicker: the next picture is decoded before it is shown
  if (image.dataset.source === source) return;
  image.dataset.source = source;
  const next = new Image();
  next.onload = () => { if (image.dataset.source !== source) return; image.src = source; if (image === $("after")) $("frame").style.setProperty("--ratio", next.naturalWidth / next.naturalHeight); };
  next.onerror = () => { if (image === $("before")) for (const id of ["before", "divider", "compare"]) $(id).hidden = true; };
  next.src = source;
}

function wipe(value) { $("wipe").value = value; $("frame").style.setProperty("--wipe", `${value}%`); $("wipe").setAttribute("aria-valuetext", `${Math.round(value)} % photograph`); }

function hear(event) {
  const before = job.phase, told = JSON.parse(event.data);
  networks(told.networks);
  if (told.phase === "idle" && before === "idle") { job = {...told, folder: job.folder}; return; }
  job = {...told, painted: told.step > 0 || told.phase === "painting" || told.phase === "stopping" || told.phase === "stopped", name: told.folder ? told.folder.split(/[/\\]/).at(-2) : null};
  if (job.phase !== before) {
    if (BUSY.includes(job.phase) && !BUSY.includes(before)) view = null;
    trouble(job.error ? title(job.error) : job.phase === "done" || job.phase === "stopped" ? title(job.note) : "");
    if (job.phase === "idle") say("Stopped before there was a picture."); else say(job.error || state());
    if (!BUSY.includes(job.phase)) remember();
    tell();
  } else if (job.phase === "painting" && job.steps && Math.floor(4 * job.step / job.steps) !== hear.quarter) {
    hear.quarter = Math.floor(4 * job.step / job.steps); say(state());
  }
  show();
}

// ---- earlier pictures

async function remember() {
  const told = await ask("past").catch(() => null);
  if (!told) return;
  past = told.runs;
  $("past").hidden = !past.length && !told.sweeps.length;
  $("runs").replaceChildren(...past.map(run => {
    const item = make("li"), button = make("button", null, {type: "button"}), text = make("span", title(words(run.title)));
    button.append(make("img", null, {src: at("small", run.picture) + `?${encodeURIComponent(run.when)}`, alt: "", loading: "lazy"}), text, make("small", run.unfinished ? `${run.when}, stopped` : run.when));
    button.onclick = () => { view = run; wipe(0); trouble(""); show(); tell(); $("stage").scrollIntoView({block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth"}); say(`${state()} is shown`); };
    item.append(button); return item;
  }));
  $("sweeps-box").hidden = !told.sweeps.length;
  $("sweeps").replaceChildren(...told.sweeps.map(sweep => {
    const item = make("li"); item.append(make("a", sweep.title, {href: at("runs", sweep.path) + "/", target: "_blank"}), make("small", ` ${sweep.many} pictures`)); return item;
  }));
}

// ---- the mask

let masking = null; // {pen, undo, x, y}: while it is painted

function openMask() {
  view = null; trouble(""); masking = {undo: [], x: .5, y: .5}; show(); wipe(0);
  picture($("after"), at("picture", order.photo)); $("after").alt = `The photograph: ${words(order.photo)}`;
  const canvas = $("mask"), image = new Image();
  image.onload = () => {
    canvas.width = image.naturalWidth; canvas.height = image.naturalHeight; masking.pen = canvas.getContext("2d", {willReadFrequently: true});
    canvas.hidden = $("brush").hidden = $("masking").hidden = false; $("frame").classList.add("masking");
    canvas.setAttribute("aria-label", "The mask over the photograph. The arrow keys move the brush, Space paints.");
    if (openMask.photo === order.photo && openMask.last) masking.pen.drawImage(openMask.last, 0, 0);
    place(.5, .5); canvas.focus({preventScroll: true});
  };
  image.src = at("picture", order.photo);
}

function closeMask() {
  for (const id of ["mask", "brush", "masking"]) $(id).hidden = true;
  $("frame").classList.remove("masking"); masking = null; show(); settle(); $("mask-open").focus();
}

const width = () => $("brush-size").value / 100 * Math.max($("mask").width, $("mask").height);
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function place(x, y) { // the brush, in parts of the picture
  masking.x = Math.min(1, Math.max(0, x)); masking.y = Math.min(1, Math.max(0, y));
  const brush = $("brush"), box = $("mask").getBoundingClientRect(), size = width() / $("mask").width * box.width;
  Object.assign(brush.style, {left: `${100 * masking.x}%`, top: `${100 * masking.y}%`, width: `${size}px`, height: `${size}px`});
}

function keepUndo() {
  masking.undo.push(masking.pen.getImageData(0, 0, $("mask").width, $("mask").height));
  if (masking.undo.length > 20) masking.undo.shift();
}

function stroke(fromX, fromY) {
  const {pen, x, y} = masking, {width: w, height: h} = $("mask");
  pen.globalCompositeOperation = document.querySelector("input[name=tool]:checked").value === "erase" ? "destination-out" : "source-over";
  pen.strokeStyle = colour("--mask"); pen.lineWidth = width(); pen.lineCap = pen.lineJoin = "round";
  pen.beginPath(); pen.moveTo(fromX * w, fromY * h); pen.lineTo(x * w + .01, y * h); pen.stroke();
}

function fill(shape) { // the mask in another colour, over a background
  const made = make("canvas", null, {width: $("mask").width, height: $("mask").height}), pen = made.getContext("2d");
  shape(pen, made); return made;
}

function invert() {
  keepUndo();
  const {pen} = masking, {width: w, height: h} = $("mask");
  const other = fill(p => { p.fillStyle = colour("--mask"); p.fillRect(0, 0, w, h); p.globalCompositeOperation = "destination-out"; p.drawImage($("mask"), 0, 0); });
  pen.globalCompositeOperation = "copy"; pen.drawImage(other, 0, 0); pen.globalCompositeOperation = "source-over";
}

async function finishMask() {
  const {width: w, height: h} = $("mask");
  const white = fill(p => { p.drawImage($("mask"), 0, 0); p.globalCompositeOperation = "source-in"; p.fillStyle = "#fff"; p.fillRect(0, 0, w, h); p.globalCompositeOperation = "destination-over"; p.fillStyle = "#000"; p.fillRect(0, 0, w, h); });
  const file = await new Promise(done => white.toBlob(done, "image/png"));
  const kept = await attempt(() => ask(`mask?photo=${encodeURIComponent(order.photo)}`, {method: "POST", body: file}));
  if (!kept) return;
  order.keep = kept.name; openMask.photo = order.photo;
  openMask.last = fill(p => p.drawImage($("mask"), 0, 0));
  if (!BUSY.includes(job.phase)) job = {...job, phase: "idle"};
  closeMask(); say("These parts stay as the photograph has them.");
}

function listenToMask() {
  const canvas = $("mask"), where = e => { const box = canvas.getBoundingClientRect(); return [(e.clientX - box.x) / box.width, (e.clientY - box.y) / box.height]; };
  canvas.onpointerdown = e => { canvas.setPointerCapture(e.pointerId); keepUndo(); place(...where(e)); stroke(masking.x, masking.y); masking.down = true; };
  canvas.onpointermove = e => { const {x, y} = masking; place(...where(e)); if (masking.down) stroke(x, y); };
  canvas.onpointerup = canvas.onpointercancel = () => { if (masking) masking.down = false; };
  canvas.onkeydown = e => {
    const by = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[e.key];
    if (by) { e.preventDefault(); place(masking.x + by[0] * .03, masking.y + by[1] * .03); }
    if (e.key === " ") { e.preventDefault(); keepUndo(); stroke(masking.x, masking.y); }
    if (e.key === "Escape") closeMask();
  };
  $("brush-size").oninput = () => place(masking.x, masking.y);
  $("mask-open").onclick = openMask; $("mask-cancel").onclick = closeMask; $("mask-done").onclick = finishMask; $("mask-invert").onclick = invert;
  $("mask-undo").onclick = () => { const last = masking.undo.pop(); if (last) masking.pen.putImageData(last, 0, 0); };
  $("mask-clear").onclick = () => { keepUndo(); masking.pen.clearRect(0, 0, canvas.width, canvas.height); };
  $("mask-remove").onclick = () => { order.keep = null; openMask.last = null; settle(); $("mask-open").focus(); };
}

// ---- the beginning

async function copy() {
  const text = $("command").textContent; let done = false;
  try { await navigator.clipboard.writeText(text); done = true; } catch { getSelection().selectAllChildren($("command")); done = document.execCommand("copy"); }
  $("copy").textContent = done ? "Copied" : "Select and copy it above"; setTimeout(() => { $("copy").textContent = "Copy"; }, 1500);
}

function listenToAll() {
  for (const key of ["size", "steps", "strength"]) { $(key).value = order[key]; $(key).oninput = () => { order[key] = Number($(key).value); settle(); }; }
  for (const key of ["colour", "network"]) $(key).onchange = () => { order[key] = $(key).value; settle(); };
  for (const kind of ["photo", "painting"]) { $(kind + "-file").onchange = e => upload(kind, e.target.files[0]); listen($(kind + "-box"), kind); }
  listen(document.body, "photo"); listenToMask();
  $("panel").onsubmit = e => { e.preventDefault(); view = null; if (masking) closeMask(); wipe(0); attempt(() => post("start", order)).then(told => { if (told && innerWidth <= 800) $("stage").scrollIntoView({block: "start"}); }); };
  $("stop").onclick = () => attempt(() => post("stop", {}));
  $("resume").onclick = () => { const run = view ? view.path : job.folder; attempt(() => post("go-on", {run})); };
  $("back").onclick = () => { view = null; wipe(0); show(); tell(); };
  $("wipe").oninput = () => wipe($("wipe").value); $("copy").onclick = copy;
  let dragging = false;
  const drag = e => { const box = $("frame").getBoundingClientRect(); wipe(Math.min(100, Math.max(0, 100 * (e.clientX - box.x) / box.width))); };
  $("frame").addEventListener("pointerdown", e => { if ($("compare").hidden || masking) return; dragging = true; $("frame").setPointerCapture(e.pointerId); drag(e); });
  $("frame").addEventListener("pointermove", e => { if (dragging) drag(e); });
  for (const name of ["pointerup", "pointercancel"]) $("frame").addEventListener(name, () => { dragging = false; });
}

async function begin() {
  offer = await attempt(() => ask("choices"));
  if (!offer) return;
  order = {...offer.begin};
  pills("looks", "look", offer.looks); pills("methods", "method", offer.methods);
  options("colour", "colour", offer.colours.map(c => [c.name, c.about])); networks([order.network]);
  strip("photo"); strip("painting"); listenToAll(); choose("photo", order.photo); choose("painting", order.painting); wipe(0);
  remember();
  const events = new EventSource("events");
  events.onmessage = hear;
  events.onerror = () => { if (events.readyState === EventSource.CLOSED) trouble("nst-serve does not answer: has it ended?"); };
}
begin();
