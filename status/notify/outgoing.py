"""From messages to deliveries: for each notifier what goes out now, in its words, to each of its addresses.

Driven by the notify process. When is decided by `status.notify.gathering`, in which words by `wording` and `digest`;
here are the outbox, and what is said beside a message. A batch is stored with its deliveries in one transaction.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from specs.stored import StoredNotifier, Unreadable
from state.errors import StateError
from state.home import Home
from state.logs import Log, lines_of, streams
from state.outbox.records import Delivery, DeliveryKind, DeliveryState, Message
from state.outbox.store import Outbox
from state.telling import TellingReader
from status.deadline import read_spec
from status.notify.crashpoint import crashpoint
from status.notify.digest import write_digest
from status.notify.gathering import Send, Settings, Waiting, gather, send_id, settings_of
from status.notify.occurrences import Notice
from status.notify.sending import Tone
from status.notify.summing import digest_facts
from status.notify.watching import Watch
from status.notify.wording import OUTPUT_LINES, OUTPUT_WIDTH, About, Text, Voice, write
from status.words.counting import counted

MOST_MESSAGES = 2000
"""Taken into one batch; a body lists twenty and counts the others."""
MOST_ABOUT = 20
"""Messages of a batch of which more is found out."""
_TAIL_BYTES = OUTPUT_LINES * OUTPUT_WIDTH * 4
_TONES: Mapping[str, Tone] = {
    "failure": "failure", "still_failing": "failure", "missed": "failure", "slow": "warning", "skipped": "warning",
    "recovery": "success", "success": "success",
}  # fmt: skip
_GRAVEST: Sequence[Tone] = ("failure", "warning", "success", "info")


@dataclass(slots=True)
class _Channel:
    """A notifier, ready for use."""

    digest: str
    """Of its document."""
    stored: StoredNotifier
    settings: Settings
    voice: Voice


class Outgoing:
    """Owned by the process's one thread."""

    def __init__(self, home: Home, outbox: Outbox, *, default_timezone: str, page: str | None = None) -> None:
        """
        Args:
            page: address of the web page, for links; None: no links.
        """
        self._home = home
        self._outbox = outbox
        self._default_timezone = default_timezone
        self._page = page
        self._channels: dict[str, _Channel] = {}
        self._look_at: dict[str, int | None] = {}
        self._started = False

    @property
    def look_at(self) -> int | None:
        """When to gather again, µs, unless a message comes before."""
        return min((at for at in self._look_at.values() if at is not None), default=None)

    @property
    def notifiers(self) -> Mapping[str, StoredNotifier]:
        """Those there are, by name."""
        return {name: channel.stored for name, channel in self._channels.items()}

    def step(self, reader: TellingReader, watch: Watch, told: set[str], now: int) -> None:
        """Gather for every notifier that was told something, changed, or asked to be looked at by now.

        Takes what it has seen to out of `told`. Raises StateError; then the next step does it again.
        """
        wanted = self._refresh(reader) | told
        if not self._started:
            wanted |= self._outbox.waiting_notifiers() | self._channels.keys()
        wanted |= {name for name, at in self._look_at.items() if at is not None and at <= now}
        for name in sorted(wanted):
            channel = self._channels.get(name)
            if channel is None:
                self._drop(name, now)
            else:
                self._gather(reader, watch, channel, now)
            told.discard(name)
        self._started = True

    def _refresh(self, reader: TellingReader) -> set[str]:
        """Take over changed documents. Their names."""
        documents = {document.name: document for document in reader.documents("Notifier")}
        changed: set[str] = set()
        for name, document in documents.items():
            known = self._channels.get(name)
            if known is not None and known.digest == document.digest:
                continue
            try:
                stored = StoredNotifier.of(document.spec)
            except Unreadable:
                continue
            settings = settings_of(stored, default_timezone=self._default_timezone)
            voice = Voice(notifier=name, timezone=stored.timezone or self._default_timezone, template=stored.template)
            self._channels[name] = _Channel(document.digest, stored, settings, voice)
            changed.add(name)
        for name in self._channels.keys() - documents.keys():
            del self._channels[name]
            self._look_at.pop(name, None)
            changed.add(name)
        return changed

    def _gather(self, reader: TellingReader, watch: Watch, channel: _Channel, now: int) -> None:
        settings, name = channel.settings, channel.stored.name
        waiting = self._outbox.waiting_messages(name, limit=MOST_MESSAGES)
        gathered = gather(
            settings,
            [Waiting(id=message.id, at=message.stored_at) for message in waiting],
            sent=self._outbox.sent_since(name, now - settings.per),
            last_digest=self._last_digest(channel, now),
            now=now,
        )
        known = {message.id: message for message in waiting}
        for send in gathered.sends:
            messages = [known[id] for id in send.ids]
            try:
                text, tone = self._text(reader, watch, channel, send, messages, now)
            except Exception as error:  # what is said is worth less than that something is
                if isinstance(error, StateError):
                    raise
                traceback.print_exc(file=sys.stderr)
                text, tone = _plain(messages), "warning"
            self._store(channel, send, text, tone, messages, now)
        more = bool(gathered.sends) and len(waiting) == MOST_MESSAGES
        self._look_at[name] = now + 1 if more else gathered.look_at

    def _text(
        self,
        reader: TellingReader,
        watch: Watch,
        channel: _Channel,
        send: Send,
        messages: Sequence[Message],
        now: int,
    ) -> tuple[Text, Tone]:
        if send.digest_since is not None:
            facts = digest_facts(reader, watch, channel.stored.name, since=send.digest_since, until=now)
            return write_digest(facts, channel.voice, last_for_now=send.last_for_now), "info"
        notices = [Notice.of_data(orjson.loads(message.payload)) for message in messages]
        about = self._about(reader, notices)
        return write(notices, channel.voice, about=about, last_for_now=send.last_for_now), _tone(notices)

    def _last_digest(self, channel: _Channel, now: int) -> int | None:
        if channel.settings.digest is None:
            return None
        key = f"digest/{channel.stored.name}"
        last = self._outbox.number(key)
        if last is None:
            self._outbox.set_number(key, now)
        return now if last is None else last

    def _store(
        self, channel: _Channel, send: Send, text: Text, tone: Tone, messages: Sequence[Message], now: int
    ) -> None:
        payload = orjson.dumps({"title": text.title, "body": text.body, "tone": tone})
        name = channel.stored.name
        with self._outbox.transaction():
            for address in range(len(channel.stored.urls)):
                self._outbox.add_delivery(
                    Delivery(
                        id=send.id if address == 0 else f"{send.id}-{address}",
                        kind=DeliveryKind.NOTIFICATION,
                        target=name,
                        address=address,
                        batch=send.id,
                        identity=_only({message.identity for message in messages}),
                        run_id=_only({message.run_id for message in messages}),
                        event="digest" if send.is_digest else _event(messages),
                        created_at=now,
                        next_attempt_at=now,
                        payload=payload,
                    )
                )
            self._outbox.gather(send.id, [message.id for message in messages])
            if send.is_digest:
                self._outbox.set_number(f"digest/{name}", now)
            crashpoint("notify-gathering")
        crashpoint("notify-gathered")

    def _drop(self, name: str, now: int) -> None:
        """Messages for a notifier that is gone."""
        while messages := self._outbox.waiting_messages(name, limit=MOST_MESSAGES):
            self._drop_some(name, messages, now)

    def _drop_some(self, name: str, messages: Sequence[Message], now: int) -> None:
        batch = send_id(name, "dropped", messages[0].id)
        with self._outbox.transaction():
            self._outbox.add_delivery(
                Delivery(
                    id=batch,
                    kind=DeliveryKind.NOTIFICATION,
                    target=name,
                    batch=batch,
                    identity=_only({message.identity for message in messages}),
                    run_id=_only({message.run_id for message in messages}),
                    event=_event(messages),
                    created_at=now,
                    next_attempt_at=None,
                    state=DeliveryState.DROPPED,
                    reason=f"no Notifier {name} is applied: it was removed or renamed before this was sent",
                    ended_at=now,
                    payload=b"{}",
                )
            )
            self._outbox.gather(batch, [message.id for message in messages])

    def _about(self, reader: TellingReader, notices: Sequence[Notice]) -> dict[str, About]:
        """What is said beside the first of them. What cannot be found is left out: the message matters more."""
        found: dict[str, About] = {}
        for notice in notices[:MOST_ABOUT]:
            try:
                found[notice.id] = self._about_one(reader, notice, alone=len(notices) == 1)
            except (StateError, OSError):
                traceback.print_exc(file=sys.stderr)
        return found

    def _about_one(self, reader: TellingReader, notice: Notice, *, alone: bool) -> About:
        record = reader.job_by_id(notice.job_id)
        job = None if record is None else read_spec(record.spec)
        output: Sequence[str] = ()
        if alone and notice.run_id is not None:
            run = reader.runs_of_ids([notice.run_id]).get(notice.run_id)
            output = () if run is None else _last_lines(self._home.run_dir_of(run))
        return About(
            description="" if job is None else job.description,
            labels={} if job is None else job.labels,
            output=output,
            link=None if self._page is None else _link(self._page, notice),
        )


def _last_lines(run_dir: Path) -> Sequence[str]:
    """Of what the run wrote; secrets were taken out when it was captured."""
    there = streams(run_dir)
    if not there:
        return ()
    with Log(run_dir, "stderr" if "stderr" in there else there[0]) as log:
        start = log.tail_offset(OUTPUT_LINES, floor=log.size - _TAIL_BYTES)
        return [line.decode(errors="replace") for line in lines_of(log.read(start))][-OUTPUT_LINES:]


def _plain(messages: Sequence[Message]) -> Text:
    """When no words can be found: of another version, or a mistake of ours."""
    told = [f"- {message.id.partition('/')[0]} {message.identity}" for message in messages]
    return Text(
        f"jobsctl: {counted(len(messages), 'message')} without words",
        "\n".join([*told[:MOST_ABOUT], "The daemon's log says why. More: jobsctl status"]),
    )


def _link(page: str, notice: Notice) -> str:
    base = page.rstrip("/")
    return f"{base}/jobs/{notice.identity}" if notice.run_id is None else f"{base}/runs/{notice.run_id}"


def _tone(notices: Iterable[Notice]) -> Tone:
    tones = {_TONES[notice.what] for notice in notices}
    return next((tone for tone in _GRAVEST if tone in tones), "info")


def _event(messages: Sequence[Message]) -> str:
    whats = {str(orjson.loads(message.payload)["what"]) for message in messages}
    return whats.pop() if len(messages) == 1 else "group"


def _only(values: set[str | None]) -> str | None:
    return values.pop() if len(values) == 1 else None
