"""The window that frames are drawn on, and the pace at which it asks for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from PyQt6.QtCore import QEvent, QObject, QRect, QSizeF, Qt, QTimer
from PyQt6.QtGui import (
    QCloseEvent,
    QExposeEvent,
    QGuiApplication,
    QKeyEvent,
    QOffscreenSurface,
    QOpenGLContext,
    QPainter,
    QPaintEvent,
    QRasterWindow,
    QScreen,
    QSurfaceFormat,
    QWindow,
)
from PyQt6.QtOpenGL import (
    QOpenGLFunctions_2_0,
    QOpenGLVersionFunctionsFactory,
    QOpenGLVersionProfile,
    QOpenGLWindow,
)

from sjepa_apps.stimulus import theme
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    _Window = QWindow
else:
    _Window = object

# OpenGL by the processor: slower than to paint without OpenGL, and without vsync too
_SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast", "software", "gdi generic")
_GL_RENDERER = 0x1F01


class Content(Protocol):
    """What a window shows, and who hears of its frames and keys."""

    def paint(self, painter: QPainter, size: QSizeF, ratio: float) -> None:
        """Draw a frame on a black window.

        Parameters
        ----------
        painter : QPainter
        size : QSizeF
            Of the window (device-independent pixels).
        ratio : float
            Pixels of the display per device-independent pixel.
        """

    def swapped(self) -> None:
        """Take note that the frame that was painted has been handed to the display."""

    def pressed(self, key: Qt.Key) -> None:
        """Act on a key.

        Parameters
        ----------
        key : Qt.Key
        """

    def hidden(self) -> None:
        """Take note that nobody sees the window any more."""

    def closing(self) -> None:
        """Take note that the window closes."""


class _HeardWindow(_Window):
    """Tell the content of keys, and when nobody sees the window any more.

    A base beside one of Qt's windows, of which there may be only one.
    """

    _content: Content

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's
        """Hand a key on; one that is held down counts once."""
        if event is not None and not event.isAutoRepeat():
            self._content.pressed(Qt.Key(event.key()))

    def exposeEvent(self, event: QExposeEvent | None) -> None:  # noqa: N802 - Qt's
        """Tell when nobody sees the window any more."""
        super().exposeEvent(event)
        if not self.isExposed():
            self._content.hidden()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's
        """Tell that the window closes."""
        self._content.closing()


class OpenGLFrameWindow(_HeardWindow, QOpenGLWindow):
    """Frames by OpenGL; their swap waits for the display's refresh where the driver can."""

    def __init__(self, content: Content) -> None:
        super().__init__(QOpenGLWindow.UpdateBehavior.NoPartialUpdate)
        wanted = QSurfaceFormat()
        wanted.setSwapInterval(1)
        self.setFormat(wanted)
        self._content = content
        self.frameSwapped.connect(content.swapped)

    def paintGL(self) -> None:  # noqa: N802 - Qt's
        """Draw a frame."""
        _paint(QPainter(self), self._content, QSizeF(self.size()), self.devicePixelRatio())


class RasterFrameWindow(_HeardWindow, QRasterWindow):
    """Frames by the processor, where no graphics card is; nothing waits for the display."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        self._content = content
        self._painted = False

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's
        """Draw a frame."""
        _paint(QPainter(self), self._content, QSizeF(self.size()), self.devicePixelRatio())
        self._painted = True

    def event(self, event: QEvent | None) -> bool:
        """Tell of the frame when Qt has painted it and handed it to the display."""
        done = super().event(event)
        if self._painted:
            self._painted = False
            self._content.swapped()
        return done


FrameWindow = OpenGLFrameWindow | RasterFrameWindow


def make_frame_window(content: Content) -> FrameWindow:
    """Make a window: OpenGL where there is a graphics card, Qt's own painting elsewhere.

    Parameters
    ----------
    content : Content
        Draws the frames.

    Returns
    -------
    window : FrameWindow
    """
    renderer = _opengl_renderer()
    if renderer is None or any(name in renderer.lower() for name in _SOFTWARE_RENDERERS):
        return RasterFrameWindow(content)
    return OpenGLFrameWindow(content)


def _opengl_renderer() -> str | None:
    """Name of what draws OpenGL; None without OpenGL, empty where it has no name."""
    context = QOpenGLContext()
    if not context.create():
        return None
    probe = QOffscreenSurface()
    probe.setFormat(context.format())
    probe.create()
    if not context.makeCurrent(probe):
        return None
    version = QOpenGLVersionProfile()
    version.setVersion(2, 0)
    functions = QOpenGLVersionFunctionsFactory.get(version, context)
    # OpenGL ES, which small computers with a graphics unit have, knows no version 2.0
    name = ""
    if isinstance(functions, QOpenGLFunctions_2_0):
        name = str(functions.glGetString(_GL_RENDERER))
    context.doneCurrent()
    return name


def find_screen(display: int | None) -> QScreen:
    """Return a display by its number.

    Parameters
    ----------
    display : int or None
        From 1; None for the last one, as operators sit at the first.

    Returns
    -------
    screen : QScreen

    Raises
    ------
    InputError
        There is no such display.
    """
    screens = QGuiApplication.screens()
    if display is None:
        return screens[-1]
    if not 1 <= display <= len(screens):
        known = ", ".join(f"{n} ({screen.name()})" for n, screen in enumerate(screens, start=1))
        raise InputError(
            f"This machine has no display {display}",
            value=display,
            remedy=f"Choose one of: {known}.",
        )
    return screens[display - 1]


def show_on(screen: QScreen, window: FrameWindow, windowed: bool) -> None:
    """Show a window full screen, or in a window that takes two thirds of each side.

    Parameters
    ----------
    screen : QScreen
    window : FrameWindow
    windowed : bool
        Whether it is shown in a window instead of full screen.
    """
    window.setScreen(screen)
    if windowed:
        area = screen.availableGeometry()
        place = QRect(0, 0, 2 * area.width() // 3, 2 * area.height() // 3)
        place.moveCenter(area.center())
        window.setGeometry(place)
        window.showNormal()
    else:
        window.setCursor(Qt.CursorShape.BlankCursor)
        window.setGeometry(screen.geometry())
        window.showFullScreen()


class Pacer(QObject):
    """Asks a window for the next frame: at once, or by a timer where no swap waits.

    Parameters
    ----------
    window : FrameWindow
    """

    def __init__(self, window: FrameWindow) -> None:
        super().__init__()
        self._window = window
        self._period: float | None = None
        self._due = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(window.update)

    def keep_to(self, refresh_rate: float | None) -> None:
        """Set the rate of frames.

        Parameters
        ----------
        refresh_rate : float or None
            Frames a second (Hz) by the clock; None: swaps set the pace.
        """
        self._period = None if refresh_rate is None else 1.0 / refresh_rate

    def start(self) -> None:
        """Ask for the first frame of a row."""
        self._due = time.perf_counter()
        self._window.update()

    def next(self) -> None:
        """Ask for the frame after the one that was swapped."""
        if self._period is None:
            self._window.update()
            return
        now = time.perf_counter()
        # frames that are overdue are dropped: the others keep their times
        missed = max(int((now - self._due) / self._period), 0)
        self._due += (missed + 1) * self._period
        self._timer.start(int(1e3 * (self._due - now)))

    def stop(self) -> None:
        """Ask for no more frames."""
        self._timer.stop()


def _paint(painter: QPainter, content: Content, size: QSizeF, ratio: float) -> None:
    painter.fillRect(0, 0, int(size.width()) + 1, int(size.height()) + 1, theme.BACKGROUND)
    content.paint(painter, size, ratio)
    painter.end()
