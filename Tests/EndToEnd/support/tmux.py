"""A console in a tmux of its own: keys in, the screen as text out. tmux knows Japanese widths; it is the oracle."""
import os
import pathlib
import subprocess
import uuid

from .daemon import BIN
from .waiting import TimedOut, until


class Screen:
    def __init__(self, folder, root, language="en", columns=80, rows=24, program=None):
        self.socket = pathlib.Path(folder) / f"tmux-{uuid.uuid4().hex[:8]}"
        state = pathlib.Path(folder) / f"state-{uuid.uuid4().hex[:8]}"
        environment = dict(
            os.environ, TERM="xterm-256color", XDG_STATE_HOME=str(state), EPOST_CONSOLE_WIDTH="wide",
            LANG="C.UTF-8", LC_ALL="C.UTF-8")
        environment.pop("TMUX", None)
        command = program or [str(BIN / "epost-console"), "--root", str(root), "--language", language]
        subprocess.run(
            [*self._tmux(), "new-session", "-d", "-x", str(columns), "-y", str(rows),
             "env", "TERM=tmux-256color", *command],
            env=environment, check=True, capture_output=True)
        self.tmux("set-option", "-g", "escape-time", "0")
        self.tmux("set-option", "-g", "remain-on-exit", "on")

    def _tmux(self):
        return ["tmux", "-S", str(self.socket), "-f", "/dev/null"]

    def tmux(self, *arguments):
        return subprocess.run([*self._tmux(), *arguments], check=True, capture_output=True, text=True).stdout

    def text(self, attributes=False):
        return self.tmux("capture-pane", "-p", *(["-e"] if attributes else []))

    def keys(self, *names):
        """Key names of tmux, one after the other: `Enter`, `C-o`, `Escape`, `Tab`."""
        for name in names:
            self._send(name)
        return self

    def type(self, text):
        return self._send("-l", text)

    def _send(self, *arguments):
        """Keys of one burst would count as pasted: the next ones follow when these have shown an effect, or none came."""
        before = (self.text(), self.cursor())
        self.tmux("send-keys", *arguments)
        try:
            until(lambda: (self.text(), self.cursor()) != before, "a change on the screen", 0.3)
        except TimedOut:
            pass
        return self

    def until(self, *wanted, seconds=20):
        """Waits until all texts stand on the screen."""
        return self._until(lambda text: all(one in text for one in wanted), f"{wanted} on the screen", seconds)

    def until_any(self, *wanted, seconds=20):
        return self._until(lambda text: any(one in text for one in wanted), f"one of {wanted} on the screen", seconds)

    def _until(self, accepts, what, seconds):
        def look():
            text = self.text()
            return text if accepts(text) else None
        try:
            return until(look, what, seconds)
        except TimedOut as error:
            raise TimedOut(f"{error}\n{self.text()}") from None

    def until_gone(self, text, seconds=20):
        until(lambda: text not in self.text(), f"{text!r} gone from the screen", seconds)
        return self

    def cursor(self):
        x, y = self.tmux("display", "-p", "#{cursor_x} #{cursor_y}").split()
        return int(x), int(y)

    def close(self):
        subprocess.run([*self._tmux(), "kill-server"], capture_output=True)
