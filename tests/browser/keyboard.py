"""Hands without a mouse."""


def reach(page, selector, most=80):
    """Tab until the focus is on it: whoever has no mouse gets there too."""
    page.wait_for_selector(selector)
    page.wait_for_load_state()  # its scripts hear what is pressed next
    for _ in range(most):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"not reached by the keyboard: {selector}")
