"""Tell an address how a sweep ended; what goes wrong there never harms the sweep."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from gx2c.errors import UserError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.summary_file import read_summary
from sweeps.report.facts import headline

# Seconds to connect, and to wait for an answer
PATIENCE_S = 10.0
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class News:
    """How a sweep ended.

    Attributes
    ----------
    event
        finished, failed or stopped.
    run
        Name of the run folder.
    text
        The verdict, or what went wrong.
    grade
        The grade of the verdict, if there is one.
    """

    event: str
    run: str
    text: str
    grade: int | None = None

    @property
    def title(self) -> str:
        """Event and run in a line."""
        return f"gx2c sweep {self.event}: {self.run}"


Body = tuple[bytes, Mapping[str, str]]


def _as_json(news: News) -> Body:
    return json.dumps({**vars(news), "title": news.title}).encode(), JSON


def _as_slack(news: News) -> Body:
    return json.dumps({"text": f"*{news.title}*\n{news.text}"}).encode(), JSON


def _as_ntfy(news: News) -> Body:
    # a header holds ASCII only
    title = news.title.encode("ascii", "replace").decode()
    return news.text.encode(), {"Title": title, "Tags": news.event}


FORMS: Mapping[str, Callable[[News], Body]] = {
    "json": _as_json,
    "slack": _as_slack,
    "ntfy": _as_ntfy,
}
HOSTS = {"hooks.slack.com": "slack", "ntfy.sh": "ntfy"}


@dataclass(frozen=True)
class Hook:
    """An address and the form of what is posted there."""

    url: str
    form: str

    def post(self, news: News) -> None:
        """Post news; a failure is said on standard error, without the address: it may be secret."""
        body, headers = FORMS[self.form](news)
        try:
            # an answer is not read, so that none can be endless
            with requests.post(
                self.url,
                data=body,
                headers=dict(headers),
                timeout=PATIENCE_S,
                stream=True,
                allow_redirects=False,
            ) as answer:
                problem = "" if answer.status_code < 300 else f"HTTP {answer.status_code}"
        except (requests.RequestException, OSError, ValueError) as error:
            problem = type(error).__name__
        if problem:
            print(f"the notification was not delivered ({problem})", file=sys.stderr)


def hook_of(text: str) -> Hook | None:
    """Return the hook of `--notify`, None without one.

    Parameters
    ----------
    text
        http(s)://..., whose host decides the form; or with the form before it, such as
        ntfy+https://...

    Raises
    ------
    UserError
        If it is no such address; the address, which may be secret, is not repeated.
    """
    if not text:
        return None
    before, plus, rest = text.partition("+http")
    form, url = (before, f"http{rest}") if plus else ("", text)
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or (form and form not in FORMS):
        forms = ", ".join(f"{name}+https://..." for name in FORMS)
        raise UserError(f"--notify takes an address: https://..., or its form before it: {forms}")
    return Hook(url, form or HOSTS.get(parts.hostname or "", "json"))


@contextmanager
def notifying(address: str, folder: Path) -> Iterator[None]:
    """Post how the work inside ends: finished, failed or stopped.

    Raises
    ------
    UserError
        If the address is none, before the work begins.
    """
    hook = hook_of(address)
    try:
        yield
    except BaseException as error:
        event = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
        if hook:
            text = getattr(error, "reason", "") or str(error) or type(error).__name__
            hook.post(News(event, folder.name, text))
        raise
    if hook:
        hook.post(_finished(folder))


def _finished(folder: Path) -> News:
    paths = SweepPaths(folder)
    if not paths.summary.exists():
        return News("finished", folder.name, "The models are ranked.")
    summary = read_summary(paths)
    grade = None if summary.verdict is None else summary.verdict.grade
    return News("finished", folder.name, headline(summary), grade)
