"""Which Chromium, how it is started, and who signs in to what it shows."""

import os
import shutil
import sys

CHROMIUM = os.environ.get("TONGBAN_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
FLAGS += ("--disable-sync", "--no-first-run", "--disable-dev-shm-usage")
TONGBAN = (sys.executable, "-c", "from gateway.cli.main import app; app()")
PASSWORD = "open-sesame-of-the-tests"
