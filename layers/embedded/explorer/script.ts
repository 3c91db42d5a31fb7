/**
 * The script of the explorer. It is a text for browsers, so it imports no module.
 *
 * All text from outside passes through `say`, which makes text nodes. Characters that are invisible or change the
 * writing direction become visible codes. The script never sets markup.
 */
export const script = String.raw`
(function () {
  "use strict";
  var view = document.getElementById("view"), live = document.getElementById("live");
  var HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u, MAX = 20000;

  /* Converts text from outside to nodes. */
  function say(text) {
    var shown = String(text), at = document.createDocumentFragment(), plain = "";
    if (shown.length > MAX) shown = shown.slice(0, MAX) + "…";
    function flush() { if (plain) at.append(plain); plain = ""; }
    for (var c of shown) {
      if (!HIDDEN.test(c)) { plain += c; continue; }
      flush();
      var code = document.createElement("span");
      code.className = "esc";
      code.textContent = "U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
      at.append(code);
    }
    flush();
    return at;
  }
  /* make("td.num", child…): a child is a node, a text, or nothing. */
  function make(what) {
    var parts = what.split("."), node = document.createElement(parts[0]);
    if (parts.length > 1) node.className = parts.slice(1).join(" ");
    for (var i = 1; i < arguments.length; i++) {
      var child = arguments[i];
      if (child !== undefined && child !== null) node.append(child instanceof Node ? child : say(child));
    }
    return node;
  }
  function link(where, text, title) {
    var node = make("a.mono", text);
    node.href = "#/" + where.map(encodeURIComponent).join("/");
    if (title) node.title = say(title).textContent;
    return node;
  }
  function short(text) { text = String(text); return text.length > 20 ? text.slice(0, 8) + "…" + text.slice(-6) : text; }
  var ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/, SIGNATURE = /^[1-9A-HJ-NP-Za-km-z]{64,88}$/;
  function account(address, isLong) { return link(["account", address], isLong ? address : short(address), address); }
  function transaction(signature) { return link(["tx", signature], short(signature), signature); }
  function value(of) {
    if (of === null || of === undefined) return make("span.soft", "—");
    if (typeof of === "string" && ADDRESS.test(of)) return account(of, true);
    if (typeof of === "object" && typeof of._tag === "string") return tagged(of);
    if (typeof of === "object") return fields(of);
    return make("span", of);
  }
  function tagged(of) {
    var rest = Object.assign({}, of), node = make("div", make("span.chip", of._tag));
    delete rest._tag;
    if (Object.keys(rest).length > 0) node.append(fields(rest));
    return node;
  }
  function fields(of) {
    var table = make("table");
    Object.keys(of).forEach(function (key) { table.append(make("tr", make("td.key", key), make("td", value(of[key])))); });
    return table;
  }
  function time(seconds) { return new Date(Number(seconds) * 1000).toISOString().replace("T", " ").slice(0, 19) + " UTC"; }
  function sol(lamports) {
    var negative = lamports[0] === "-", digits = (negative ? lamports.slice(1) : lamports).padStart(10, "0");
    var text = digits.slice(0, -9).replace(/\B(?=(\d{3})+$)/g, " ") + "." + digits.slice(-9);
    return (negative ? "−" : "") + text.replace(/\.?0+$/, "") + " SOL";
  }
  function count(number) { return String(number).replace(/\B(?=(\d{3})+$)/g, " "); }
  function result(err) { return err === null ? make("span.chip.good", "success") : make("span.chip.bad", err); }
  function table(heads, rows, nothing) {
    if (rows.length === 0) return make("p.soft", nothing);
    var head = make("tr");
    heads.forEach(function (name) { head.append(name[0] === "#" ? make("th.num", name.slice(1)) : make("th", name)); });
    var body = make("table", head);
    rows.forEach(function (row) { body.append(row); });
    return body;
  }
  function card(title) {
    var node = make("section.card", make("h2", title));
    for (var i = 1; i < arguments.length; i++) if (arguments[i]) node.append(arguments[i]);
    return node;
  }

  function ask(path) {
    return fetch("/explorer/" + path).then(function (reply) {
      return reply.json().then(function (body) {
        if (!reply.ok) throw new Error(body.error);
        return body;
      });
    });
  }

  /* Pages: each gives its nodes as a promise. */
  var KINDS = { AgentAccount: "Agents", ChannelAccount: "Channels", DirectMessage: "Messages", ChannelMessage: "Channel messages",
    EscrowAccount: "Escrows", ChannelParticipant: "Members", ChannelInvitation: "Invitations" };
  var kind = "AgentAccount", before;

  function tile(name, shown, isText) { return make("div.tile", make("span", name), make(isText ? "b.text" : "b", shown)); }
  function bars(slots) {
    var most = Math.max.apply(null, [1].concat(slots.map(function (one) { return one.transactions; })));
    var node = make("div.bars");
    slots.forEach(function (one) {
      var bar = document.createElement("a");
      bar.className = one.transactions === 0 ? "empty" : one.failed > 0 ? "failed" : "";
      bar.style.height = one.transactions === 0 ? "4px" : Math.max(8, 100 * one.transactions / most) + "%";
      bar.title = "slot " + one.slot + ": " + one.transactions + " transactions, " + one.failed + " failed";
      bar.href = "#/slot/" + one.slot;
      node.append(bar);
    });
    return node;
  }
  function transactionRows(list) {
    return list.map(function (one) {
      var what = make("td");
      one.instructions.slice(0, 4).forEach(function (name) { what.append(make("span.chip", name)); });
      if (one.instructions.length > 4) what.append(make("span.soft", "+" + (one.instructions.length - 4)));
      return make("tr", make("td.short", transaction(one.signature)), make("td.num", count(one.slot)), what,
        make("td", result(one.err)), make("td.num", count(one.units)));
    });
  }
  var HEADS = ["Signature", "#Slot", "Instructions", "Result", "#Units"];

  function tabs(counts) {
    var node = make("div.tabs");
    Object.keys(KINDS).forEach(function (tag) {
      var tab = make("a" + (tag === kind ? ".on" : ""), KINDS[tag] + (counts[tag] === undefined ? "" : " " + count(counts[tag])));
      tab.href = "#/";
      tab.addEventListener("click", function (event) { event.preventDefault(); kind = tag; refresh(); });
      node.append(tab);
    });
    return node;
  }
  function home() {
    return Promise.all([ask("overview"), ask("accounts?type=" + kind)]).then(function (found) {
      var over = found[0], accounts = found[1], now = Date.now();
      var rate = before && now > before.at ? 1000 * (over.transactions - before.transactions) / (now - before.at) : 0;
      if (!before || now - before.at > 900) before = { at: now, transactions: over.transactions };
      var tiles = make("div.tiles", tile("Slot", count(over.slot)), tile("Block height", count(over.height)),
        tile("Transactions", count(over.transactions)), tile("Per second", rate < 10 ? rate.toFixed(1) : String(Math.round(rate))),
        tile("Subscriptions", count(over.subscriptions)), tile("Blocks", over.blockMode, true));
      var rows = accounts.accounts.map(function (one) {
        return make("tr", make("td.short", account(one.address)), make("td", one.title), make("td.num", sol(one.lamports)));
      });
      var more = accounts.total > rows.length ? make("p.soft", "The first " + rows.length + " of " + count(accounts.total)) : null;
      return [tiles, card("Transactions of the last " + over.slots.length + " blocks", bars(over.slots)),
        make("div.two", card("Latest transactions", table(HEADS, transactionRows(over.latest), "No transaction yet.")),
          card("Accounts of the program", tabs(accounts.counts), table(["Address", "", "#Balance"], rows, "None yet."), more))];
    });
  }
  function slot(number) {
    return ask("slot?slot=" + encodeURIComponent(number)).then(function (of) {
      return [make("div.head", make("h1", "Slot " + count(of.slot))),
        card("Block", fields({ blockhash: of.blockhash, parent: of.parent, height: of.height, time: time(of.time) })),
        card("Transactions", table(HEADS, transactionRows(of.latest), "No transaction in this slot."))];
    });
  }
  function step(of) {
    var node = make("div.step", make("span.chip", of.name), of.program ? account(of.program) : null);
    if (of.fields && Object.keys(of.fields).length > 0) node.append(fields(of.fields));
    if (of.inner && of.inner.length > 0) {
      var inner = make("div.inner");
      of.inner.forEach(function (call) { inner.append(step(call)); });
      node.append(inner);
    }
    return node;
  }
  function logLine(text) {
    var kind = / failed: |^Program failed|Error/.test(text) ? "bad" : / success$/.test(text) ? "good" : /^Program (log|data|return): /.test(text) ? "log" : "quiet";
    return make("div." + kind, text);
  }
  function tx(signature) {
    return ask("transaction?signature=" + encodeURIComponent(signature)).then(function (of) {
      var logs = make("pre");
      of.logs.forEach(function (text) { logs.append(logLine(text)); });
      var steps = make("div");
      of.steps.forEach(function (one) { steps.append(step(one)); });
      var balances = of.accounts.map(function (one) {
        var role = [one.signer ? "signer" : "", one.writable ? "writable" : ""].filter(Boolean).join(", ");
        var change = make("td.num", one.change === "0" ? "" : sol(one.change));
        if (one.change !== "0") change.classList.add(one.change[0] === "-" ? "loss" : "gain");
        return make("tr", make("td", account(one.address, true)), make("td.soft", role), make("td.num", sol(one.balance)), change);
      });
      var events = make("div");
      of.events.forEach(function (one) { events.append(step(one)); });
      return [make("div.head", make("h1", "Transaction"), result(of.err), make("code", of.signature)),
        of.error ? make("div.error", make("b", of.error.name), of.error.text) : null,
        card("Overview", fields({ slot: count(of.slot), time: time(of.time), fee: sol(of.fee), units: count(of.units) })),
        card("Instructions", steps), of.events.length > 0 ? card("Events", events) : null,
        card("Accounts", table(["Address", "", "#Balance", "#Change"], balances, "None.")), card("Log", logs)];
    });
  }
  function accountPage(address) {
    return ask("account?address=" + encodeURIComponent(address)).then(function (of) {
      var head = make("div.head", make("h1", of.type || "Account"), make("code", of.address));
      if (of.missing) return [head, make("p.soft", "There is no account at this address."), history(of)];
      return [head, of.decoded ? card("Contents", fields(of.decoded)) : null,
        card("Account", fields({ balance: sol(of.lamports), owner: of.owner, size: count(of.space) + " bytes", executable: String(of.executable) })),
        of.parsed ? card("Parsed", fields(of.parsed)) : null, history(of), of.hex ? card("Data", make("pre.mono", of.hex)) : null];
    });
  }
  function history(of) {
    var rows = of.history.map(function (one) {
      return make("tr", make("td", transaction(one.signature)), make("td.num", count(one.slot)), make("td", result(one.err)));
    });
    return card("Transactions", table(["Signature", "#Slot", "Result"], rows, "None."));
  }

  /* The page that the address names; a later one wins. */
  var turn = 0, isShown = "";
  function refresh() {
    var mine = ++turn, parts = location.hash.replace(/^#\/?/, "").split("/").map(function (part) {
      try { return decodeURIComponent(part); } catch (error) { return part; }
    });
    var page = parts[0] === "tx" ? tx(parts[1]) : parts[0] === "account" ? accountPage(parts[1]) : parts[0] === "slot" ? slot(parts[1]) : home();
    return page.catch(function (error) { return [make("div.error", make("b", "Not shown"), error.message)]; }).then(function (nodes) {
      if (mine !== turn) return;
      view.replaceChildren.apply(view, nodes.filter(Boolean));
      if (isShown !== location.hash) scrollTo(0, 0);
      isShown = location.hash;
      document.documentElement.dataset.shown = location.hash || "#/";
    });
  }
  addEventListener("hashchange", refresh);
  document.getElementById("search").addEventListener("submit", function (event) {
    event.preventDefault();
    var query = document.getElementById("query").value.trim();
    if (SIGNATURE.test(query)) location.hash = "#/tx/" + query;
    else if (ADDRESS.test(query)) location.hash = "#/account/" + query;
    else if (/^\d{1,15}$/.test(query)) location.hash = "#/slot/" + query;
  });

  /* Live: what changes is read again, at most twice a second. A page of one transaction or slot does not change. */
  var due = false;
  function changed() {
    if (due || /^#\/(tx|slot)\//.test(location.hash)) return;
    due = true;
    setTimeout(function () { due = false; if (!document.hidden) refresh(); }, 500);
  }
  document.addEventListener("visibilitychange", changed);
  function listen(delay) {
    var socket = new WebSocket("ws://" + location.hostname + ":" + (Number(location.port || 80) + 1));
    socket.onopen = function () {
      live.className = "live on";
      live.textContent = "live";
      /* Subscribing to slots would let them pass in instant mode: what looks must not change what it looks at. */
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "logsSubscribe", params: ["all", { commitment: "confirmed" }] }));
      changed();
    };
    socket.onmessage = changed;
    socket.onclose = function () {
      live.className = "live off";
      live.textContent = "disconnected";
      setTimeout(function () { listen(Math.min(2 * delay, 10000)); }, delay);
    };
  }
  refresh();
  listen(500);
  setInterval(changed, 2000);
})();
`
