"""The title of a view that can be moved: its name, and buttons to float and to close it."""

from __future__ import annotations

from PyQt6.QtWidgets import QDockWidget, QHBoxLayout, QToolButton, QWidget

from sjepa_apps.ui.widgets import PlainLabel


class DockTitle(QWidget):
    """What a dock is held by; Qt's own buttons are too small and faint.

    Parameters
    ----------
    dock : QDockWidget
    """

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self.float_button = _button("↗", "Let this view float, or dock it again")
        self.close_button = _button("×", "Close this view; the View menu brings it back")
        self.float_button.clicked.connect(lambda: dock.setFloating(not dock.isFloating()))
        self.close_button.clicked.connect(dock.close)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 4, 8, 4)
        layout.setSpacing(2)
        layout.addWidget(PlainLabel(dock.windowTitle(), "title"))
        layout.addStretch()
        layout.addWidget(self.float_button)
        layout.addWidget(self.close_button)


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setProperty("flat", True)
    return button
