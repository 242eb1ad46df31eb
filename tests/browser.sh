#!/bin/sh
# The browser test opens a report in Chromium. Install it where that is possible; the test skips with a reason elsewhere.
if command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser test ..."
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium) >/dev/null 2>&1 ||
        echo "Chromium could not be installed: the browser test will be skipped."
fi
exit 0
