#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command as root in dom0 of a real Xen, in QEMU: `./devtool xen-testbed` is how to start it."""
import argparse
import os
import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from bed import Bed, BedError  # noqa: E402
from session import Session, terminal_size  # noqa: E402
from surroundings import TOP, default_image, shared_folders, what_is_missing  # noqa: E402

FAILED = 125  # the bed itself, not the command
PASSED_ON = ("TERM", "XL_BUILD", "XL_FETCHED")


def parse_arguments():
    parser = argparse.ArgumentParser(prog="xen-testbed", description="Boots Debian's Xen and a dom0 in QEMU, with this tree inside, "
                                     "and runs COMMAND there as root, in the same folder. Exits with its status; 124: out of "
                                     "time, 125: the bed failed.")
    parser.add_argument("--image", type=Path, default=default_image(), metavar="DIR", help="the prepared image")
    parser.add_argument("--show-image", action="store_true", help="print where the prepared image is looked for, and end")
    parser.add_argument("--share", action="append", default=[], metavar="DIR", help="a further folder to have inside, at the same path")
    parser.add_argument("--timeout", type=float, default=0, metavar="S", help="seconds that the command may take")
    parser.add_argument("--boot-timeout", type=float, default=180, metavar="S", help="seconds until dom0 has to be up (180)")
    parser.add_argument("--memory", type=int, default=4096, metavar="MIB", help="of the machine (4096)")
    parser.add_argument("--dom0-memory", type=int, default=1536, metavar="MIB", help="of dom0 (1536)")
    parser.add_argument("--cpus", type=int, default=2, help="of the machine (2)")
    # Emulated, a CPU that waits for another takes its time away: with two, dom0 boots in three times as long on a busy machine.
    parser.add_argument("--dom0-cpus", type=int, default=1, help="of dom0 (1)")
    parser.add_argument("--xenstored", choices=("oxenstored", "xenstored"), default="oxenstored", help="the store; Debian prefers oxenstored")
    parser.add_argument("--xen-options", default="", help="more for Xen's command line")
    parser.add_argument("--qemu", default="qemu-system-x86_64", help="the QEMU to use")
    parser.add_argument("--skip", action="store_true", help="where something is missing say so as a skipped TAP test")
    parser.add_argument("--console", type=Path, metavar="FILE", help="keep the console log of Xen and dom0 here")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="program and arguments, or one shell line")
    arguments = parser.parse_args()
    if arguments.command[:1] == ["--"]:
        del arguments.command[0]
    return arguments


def request_for(arguments, shares):
    command = arguments.command
    interactive = os.isatty(0) and os.isatty(1)
    if not command:
        command = ["bash", "-l"] if os.isatty(0) else ["bash"]
    elif len(command) == 1:
        command = ["bash", "-c", command[0]]
    here = Path.cwd()
    inside = any(here.is_relative_to(path) for _, path in shares)
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "USER": "root",
                    "LANG": "C.UTF-8", "XEN_TESTBED": "1", "PYTHONDONTWRITEBYTECODE": "1",
                    # Both sides see what the other has written, at each prompt.
                    "PS1": r"dom0:\w# ", "PROMPT_COMMAND": "sync; echo 3 >/proc/sys/vm/drop_caches"}
    return {"argv": command, "directory": str(here if inside else TOP), "environment": environment, "shares": shares,
            "tty": interactive, "size": terminal_size() if interactive else [24, 80]}


def run(arguments):
    shares = shared_folders(arguments.share)
    bed = Bed(arguments.image.resolve(), shares, arguments)
    try:
        return Session(bed, request_for(arguments, shares), arguments).run()
    except BedError as error:
        print(f"xen-testbed: {error}; the end of the console:\n{bed.last_words()}", file=sys.stderr)
        return FAILED
    finally:
        if arguments.console:
            shutil.copy(bed.console, arguments.console)
        bed.close()


def main():
    arguments = parse_arguments()
    if arguments.show_image:
        print(arguments.image)
        return 0
    missing = what_is_missing(arguments.qemu, arguments.image)
    if missing is not None:
        if arguments.skip:
            print(f"1..0 # SKIP {missing}")
            return 0
        print(f"xen-testbed: {missing}", file=sys.stderr)
        return FAILED
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
