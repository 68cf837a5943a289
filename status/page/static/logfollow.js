// Follows a log: server-sent events read by fetch, because an EventSource cannot say from which byte on.

const FIRST_RETRY = 1000;
const MOST_RETRY = 20000;

/** Calls `onText({start, end, text})` for what is new from byte `position` on, `onEnd(run)` when nothing comes any more,
 *  `onState("following" | "reconnecting")`. Returns what ends it. */
export function follow(address, position, { onText, onEnd, onState }) {
  const stop = new AbortController();
  let patience = FIRST_RETRY;

  async function once() {
    const answer = await fetch(address, {
      headers: { accept: "text/event-stream", "last-event-id": String(position) },
      cache: "no-store",
      signal: stop.signal,
    });
    if (answer.status === 204) return true;
    if (answer.status >= 400 && answer.status < 500) return true; // it went away: nothing comes any more
    if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`);
    onState("following");
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return false;
      patience = FIRST_RETRY;
      buffer += value;
      let end;
      while ((end = buffer.indexOf("\n\n")) >= 0) {
        const event = parse(buffer.slice(0, end));
        buffer = buffer.slice(end + 2);
        if (event.type === "end") {
          onEnd(JSON.parse(event.data));
          return true;
        }
        if (!event.data) continue;
        const piece = JSON.parse(event.data);
        position = piece.end;
        onText(piece);
      }
    }
  }

  (async () => {
    while (!stop.signal.aborted) {
      try {
        if (await once()) return;
      } catch (error) {
        if (error.name === "AbortError") return;
      }
      onState("reconnecting");
      await new Promise((resolve) => setTimeout(resolve, patience * (0.75 + Math.random() / 2)));
      patience = Math.min(patience * 2, MOST_RETRY);
    }
  })();
  return () => stop.abort();
}

function parse(text) {
  const event = { type: "message", data: "" };
  for (const line of text.split("\n")) {
    if (line.startsWith("event:")) event.type = line.slice(6).trim();
    else if (line.startsWith("data:")) event.data += (event.data ? "\n" : "") + line.slice(5).trimStart();
  }
  return event;
}
