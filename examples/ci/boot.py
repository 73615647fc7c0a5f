#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""boot.py KERNEL RAMDISK: boots them, waits for the result, prints the console; exit status 0 if the test passed."""
import os
import sys

import xlpp


def main(kernel: str, ramdisk: str) -> int:
    config = os.path.join(os.path.dirname(__file__), "guest.cfg")
    with xlpp.Client() as xl:
        # The end of the block destroys the domain, whatever happens in it.
        with xl.create(config, overrides={"kernel": kernel, "ramdisk": ramdisk}) as domain:
            domain.wait("booted", timeout=120)
            with domain.console() as console:
                result = console.wait_for(r"^RESULT: (\w+)", timeout=120)
            print(domain.console_text())
    return 0 if result[1] == "pass" else 1


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except xlpp.XlError as error:
        sys.exit(f"boot.py: {error.code}: {error}")
