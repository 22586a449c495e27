"""Colours, sizes and the style sheet of the window: one place for everything that is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QGuiApplication, QPalette

ThemeName = Literal["light", "dark"]

#: Distances are multiples of this (pixels).
GRID = 8


@dataclass(frozen=True)
class Theme:
    """Colours as hexadecimal strings.

    Attributes
    ----------
    window, panel, raised : str
        Backgrounds: behind the panels, of a panel, of what stands out of it.
    line : str
        Borders and grids.
    ink, muted : str
        Text, and text of less weight.
    accent, on_accent : str
        What is chosen or in progress, and text on it.
    trace : str
        A good channel.
    good, warning, bad : str
        States.
    marker, event : str
        Lines in the signals.
    classes : tuple of str
        One colour a class, from Okabe and Ito's palette where contrast allows.
    """

    name: ThemeName
    window: str
    panel: str
    raised: str
    line: str
    ink: str
    muted: str
    accent: str
    on_accent: str
    trace: str
    good: str
    warning: str
    bad: str
    marker: str
    event: str
    classes: tuple[str, ...]

    def class_colour(self, index: int) -> QColor:
        """Return the colour of a class by its place in the protocol."""
        return QColor(self.classes[index % len(self.classes)])

    def palette(self) -> QPalette:
        """Return Qt's palette for what the style sheet does not reach."""
        palette = QPalette()
        role = QPalette.ColorRole
        for which, colour in (
            (role.Window, self.window),
            (role.Base, self.panel),
            (role.AlternateBase, self.raised),
            (role.Button, self.raised),
            (role.Text, self.ink),
            (role.WindowText, self.ink),
            (role.ButtonText, self.ink),
            (role.PlaceholderText, self.muted),
            (role.ToolTipBase, self.raised),
            (role.ToolTipText, self.ink),
            (role.Highlight, self.accent),
            (role.HighlightedText, self.on_accent),
        ):
            palette.setColor(which, QColor(colour))
        return palette


LIGHT = Theme(
    name="light",
    window="#eceff3",
    panel="#ffffff",
    raised="#f4f6f9",
    line="#d5dbe3",
    ink="#1b2430",
    muted="#5d6b7c",
    accent="#1565c0",
    on_accent="#ffffff",
    trace="#23415f",
    good="#136b45",
    warning="#8c5200",
    bad="#c62828",
    marker="#6a3fb5",
    event="#8c5200",
    classes=(
        "#0072b2",
        "#bf5300",
        "#007a59",
        "#a8487f",
        "#7d6300",
        "#2f7bac",
        "#7a4fb5",
        "#555555",
    ),
)

DARK = Theme(
    name="dark",
    window="#12161c",
    panel="#1a2028",
    raised="#232b36",
    line="#35404e",
    ink="#e6ebf2",
    muted="#93a1b3",
    accent="#4c9be8",
    on_accent="#0b1420",
    trace="#a9c7e8",
    good="#3ecf8e",
    warning="#f0a63a",
    bad="#ff6b63",
    marker="#b79cf2",
    event="#f0a63a",
    classes=(
        "#56b4e9",
        "#ff9d4d",
        "#3ecf9e",
        "#e69fce",
        "#e8d44d",
        "#8fc7f0",
        "#b79cf2",
        "#b8b8b8",
    ),
)

THEMES: dict[ThemeName, Theme] = {"light": LIGHT, "dark": DARK}


#: Least contrast of text, and of large or bold text and of what is drawn (WCAG 2.1, level AA).
TEXT_CONTRAST, DRAWN_CONTRAST = 4.5, 3.0


def contrast(one: QColor | str, other: QColor | str) -> float:
    """Return the contrast of two opaque colours, from 1 to 21 (WCAG 2.1)."""
    light, dark = sorted((_luminance(QColor(one)), _luminance(QColor(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def blend(colour: QColor | str, background: QColor | str, opacity: float) -> QColor:
    """Return what a colour of an opacity looks like on a background."""
    over, under = QColor(colour), QColor(background)
    pairs = zip(over.getRgbF()[:3], under.getRgbF()[:3], strict=True)
    return QColor.fromRgbF(*(opacity * a + (1 - opacity) * b for a, b in pairs))


def readable_on(background: QColor | str) -> QColor:
    """Return black or white, whichever stands out from a background: at least 4.58."""
    return QColor(max(("#000000", "#ffffff"), key=lambda one: contrast(one, background)))


def _luminance(colour: QColor) -> float:
    parts = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in colour.getRgbF()[:3]
        if value is not None
    ]
    return float(sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)))


def system_theme() -> Theme:
    """Return the theme that the system asks for; the light one where it asks for none."""
    hints = QGuiApplication.styleHints()
    dark = hints is not None and hints.colorScheme() == Qt.ColorScheme.Dark
    return DARK if dark else LIGHT


def style_sheet(theme: Theme) -> str:
    """Return the style sheet of the whole application."""
    return _STYLE.format(
        half=GRID // 2, grid=GRID, one_and_half=GRID * 3 // 2, double=2 * GRID, **vars(theme)
    )


_STYLE = """
* {{ font-size: 13px; }}
QMainWindow, QDialog {{ background: {window}; }}
QWidget {{ color: {ink}; }}
QToolTip {{ background: {raised}; color: {ink}; border: 1px solid {line}; padding: {half}px; }}
QMainWindow::separator {{ background: {window}; width: {grid}px; height: {grid}px; }}
QMainWindow::separator:hover {{ background: {line}; }}
QFrame[panel="true"] {{
    background: {panel}; border: 1px solid {line}; border-radius: 6px;
}}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; }}
QDockWidget {{ color: {muted}; font-weight: 600; }}
QDockWidget::title {{
    background: {window}; padding: {half}px {half}px {half}px 2px; text-align: left;
}}
QTabWidget::pane {{ border: none; top: 0px; }}
QTabBar {{ background: {window}; qproperty-drawBase: 0; }}
QMainWindow > QTabBar::tab:first {{ margin-left: {grid}px; }}
QTabBar::tab {{
    background: transparent; color: {muted}; border: none; border-bottom: 2px solid transparent;
    padding: 6px {one_and_half}px; font-weight: 600;
}}
QTabBar::tab:selected {{ color: {ink}; border-bottom: 2px solid {accent}; }}
QTabBar::tab:hover {{ color: {ink}; }}
QToolBar {{ background: {window}; border: none; spacing: {grid}px; padding: {grid}px; }}
QToolBar::separator {{ background: {line}; width: 1px; margin: {half}px; }}
QPushButton, QToolButton {{
    background: {raised}; border: 1px solid {line}; border-radius: 4px;
    padding: 5px {one_and_half}px; min-height: 16px;
}}
QPushButton[small="true"] {{ padding: 5px 8px; }}
QToolButton[menu="true"] {{ padding: 4px {one_and_half}px; }}
QToolButton::menu-indicator {{ image: none; }}
QToolButton[flat="true"] {{
    background: transparent; border: 1px solid transparent; color: {muted}; font-size: 16px;
    padding: 0px {half}px; min-height: 0px;
}}
QToolButton[flat="true"]:focus {{ border: 1px solid {accent}; }}
QToolButton[flat="true"]:hover {{ color: {ink}; background: {line}; }}
QPushButton:hover, QToolButton:hover {{ border-color: {accent}; }}
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus,
QAbstractSpinBox:focus, QTableView:focus, QListWidget:focus {{
    border: 1px solid {accent};
}}
QPushButton:pressed, QToolButton:pressed {{ background: {line}; }}
QPushButton:checked, QToolButton:checked {{
    background: {accent}; color: {on_accent}; border-color: {accent};
}}
QPushButton:disabled, QToolButton:disabled {{ color: {muted}; border-color: {line}; }}
QPushButton[primary="true"] {{
    background: {accent}; color: {on_accent}; border-color: {accent}; font-weight: 600;
}}
QPushButton[primary="true"]:disabled {{
    background: {raised}; color: {muted}; border-color: {line};
}}
QPushButton[recording="true"] {{ background: {bad}; color: {panel}; border-color: {bad}; }}
QComboBox, QLineEdit, QAbstractSpinBox {{
    background: {panel}; border: 1px solid {line}; border-radius: 4px; padding: 4px {grid}px;
    min-height: 18px; selection-background-color: {accent};
}}
QLineEdit {{ placeholder-text-color: {muted}; }}
QComboBox {{ padding-right: 24px; }}
QComboBox::drop-down {{ border: none; width: 0px; }}
QComboBox QAbstractItemView {{
    background: {panel}; border: 1px solid {line}; selection-background-color: {accent};
    selection-color: {on_accent}; outline: none;
}}
QTableView {{
    background: {panel}; border: none; gridline-color: {line}; outline: none;
    selection-background-color: {accent}; selection-color: {on_accent};
    alternate-background-color: {raised};
}}
QAbstractItemView::item:selected {{ background: {accent}; color: {on_accent}; }}
QListWidget {{ background: {panel}; border: 1px solid {line}; border-radius: 4px; }}
QTableView::item {{ padding: 0px {grid}px; }}
QHeaderView {{ background: {panel}; }}
QHeaderView::section {{
    background: {panel}; color: {muted}; border: none; border-bottom: 1px solid {line};
    padding: {half}px 11px; font-weight: 600;
}}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {line}; border-radius: 5px; min-width: 24px; min-height: 24px; }}
QScrollBar::handle:hover {{ background: {muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QMenu {{ background: {panel}; border: 1px solid {line}; padding: {half}px; }}
QMenu::item {{ padding: 5px {double}px; border-radius: 4px; }}
QMenu::item:selected {{ background: {accent}; color: {on_accent}; }}
QMenu::item:disabled {{ color: {muted}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: {half}px; }}
QStatusBar {{ background: {window}; }}
QStatusBar::item {{ border: none; }}
QLabel[title="true"] {{ color: {muted}; font-weight: 600; }}
QLabel[muted="true"] {{ color: {muted}; }}
QLabel[heading="true"] {{ font-size: 15px; font-weight: 600; }}
QLabel[figure="true"] {{ font-size: 20px; font-weight: 600; }}
QLabel[decision="true"] {{ font-size: 28px; font-weight: 700; }}
QLabel[state="good"] {{ color: {good}; }}
QLabel[state="warning"] {{ color: {warning}; }}
QLabel[state="bad"] {{ color: {bad}; }}
"""
