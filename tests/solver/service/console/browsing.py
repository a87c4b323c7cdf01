"""What tests in a real browser share: where it is, how it is started, and what every page must keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
WAIT = 45_000  # milliseconds; the machine may be busy
NARROW, WIDE = {"width": 400, "height": 800}, {"width": 1280, "height": 900}

# Every field and button has a name, every image words, every id one place, every table a caption, and there is one
# heading of the first rank. Texts stand out from their ground as WCAG 2.2 AA asks: 4.5 to 1, or 3 to 1 where large.
FAULTS = """() => {
  const faults = [], how = { visibilityProperty: true, opacityProperty: true };
  const seen = e => e.checkVisibility && e.checkVisibility(how);
  const unjudged = 'script, style, svg, .hidden, :disabled, option, .skip';
  const name = e => (e.getAttribute('aria-label') || (e.labels && e.labels.length && e.labels[0].textContent) ||
    e.title || e.value && e.type === 'submit' && e.value || e.textContent || '').trim();
  for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a[href], progress')) {
    if (seen(e) && !name(e)) { faults.push('no name: ' + e.outerHTML.slice(0, 90)); }
  }
  for (const e of document.querySelectorAll('[role=region], [role=img], nav, iframe')) {
    if (!(e.getAttribute('aria-label') || e.title)) { faults.push('no words: ' + e.outerHTML.slice(0, 90)); }
  }
  const ids = [...document.querySelectorAll('body [id]')].filter(e => !e.closest('.js-plotly-plot')).map(e => e.id);
  ids.filter((id, k) => ids.indexOf(id) !== k).forEach(id => faults.push('twice: #' + id));
  for (const e of document.querySelectorAll('table')) { if (!e.caption) { faults.push('no caption: ' + e.id); } }
  if (document.querySelectorAll('h1').length !== 1) { faults.push('not one h1'); }
  const lamp = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = c => { lamp.clearRect(0, 0, 1, 1); lamp.fillStyle = c; lamp.fillRect(0, 0, 1, 1);
    return [...lamp.getImageData(0, 0, 1, 1).data]; };
  const light = c => { const f = c.slice(0, 3).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const ground = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
    if (c[3] > 250) { return c; } } return [255, 255, 255]; };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !seen(e) || e.closest(unjudged)) { continue; }
    const style = getComputedStyle(e), size = parseFloat(style.fontSize), bold = style.fontWeight >= 600;
    const [a, b] = [light(rgba(style.color)), light(ground(e))].sort((x, y) => y - x), ratio = (a + .05) / (b + .05);
    if (ratio < (size >= 24 || (bold && size >= 18.6) ? 3 : 4.5) - .01) {
      faults.push(ratio.toFixed(2) + ' to 1: ' + texts.currentNode.data.trim().slice(0, 40));
    }
  }
  return [...new Set(faults)].slice(0, 8);
}"""


def fits(page: Any) -> bool:
    """Whether nothing hangs over the side."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def faults(page: Any) -> list[str]:
    """What keeps somebody from reading or using the page; none is wanted."""
    found: list[str] = page.evaluate(FAULTS)
    return found
