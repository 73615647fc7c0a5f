#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each error that a user can bring about, to its exact text, with xl itself and a daemon on the fake hypervisor.
XL_UPDATE_GOLDEN writes golden/errors.txt anew."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import fake  # noqa: E402

XL, XLD = (os.path.abspath(path) for path in sys.argv[1:3])
GOLDEN = Path(__file__).parent / "golden" / "errors.txt"
PATIENCE = 60


FILES = {
    "kernel": fake.kernel(),
    "no-note": fake.kernel(note=5),
    "arm": fake.kernel(machine=40),
    "no-segment": fake.kernel(segment=0),
    "truncated": fake.kernel()[:60],
    "text": b"#!/bin/sh\n" * 1000,
    "empty": b"",
    "gzip": b"\x1f\x8b\x08\0" + b"\0" * 100,
    "guest.cfg": b"name='guest'\nkernel='kernel'\nmemory=8\nmaxvcpus=2\n",
    "uuid.cfg": b"name='uuid'\nkernel='kernel'\nmemory=8\nuuid='c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5f'\n",
    "wrong.cfg": b"name = 'a'\nmemory = [\n",
    "strict.cfg": b"name='a'\nkernel='kernel'\nvcpu=4\n",
    "hvm.cfg": b"name='a'\nkernel='kernel'\ntype='hvm'\n",
    "value.cfg": b"name='a'\nkernel='kernel'\nmemory='much'\n",
    "relation.cfg": b"name='a'\nkernel='kernel'\nmemory=64\nmaxmem=32\n",
    "disk.cfg": b"name='a'\nkernel='kernel'\ndisk=['/dev/x,,nothing']\n",
    "part.cfg": b"name='a'\n",
}

# What is called, in this order, on one daemon; "!" before what has to succeed and is not shown.
COMMANDS = """
xl
xl nonsense
xl do x
xl cd-insert guest xvda /x.iso
xl -x list
xl pause
xl list -z
xl list a b
xl create
xl create -f
xl create a.cfg b.cfg
xl create none.cfg
xl create wrong.cfg
xl create --strict strict.cfg
xl create hvm.cfg
xl create value.cfg
xl create relation.cfg
xl create -n disk.cfg
xl create part.cfg
xl create guest.cfg cpus='"999"'
xl create guest.cfg kernel='"none"'
xl create guest.cfg kernel='"no-note"'
xl create guest.cfg kernel='"arm"'
xl create guest.cfg kernel='"no-segment"'
xl create guest.cfg kernel='"truncated"'
xl create guest.cfg kernel='"text"'
xl create guest.cfg kernel='"empty"'
xl create guest.cfg kernel='"gzip"'
xl create guest.cfg kernel='"."'
xl create guest.cfg kernel='"/dev/null"'
xl create guest.cfg ramdisk='"none"'
xl create guest.cfg ramdisk='"empty"'
xl create guest.cfg memory=4000000
!xl create guest.cfg
!xl create uuid.cfg
xl create guest.cfg
xl create uuid.cfg name='"other"'
xl rename guest uuid
xl pause none
xl domid none
xl domid gues
xl list none
xl console none
xl mem-set guest 4000
xl mem-set guest 0
xl mem-set Domain-0 100
xl mem-max guest 1
xl mem-set guest 2t
xl vcpu-set guest 0
xl vcpu-set guest 3
xl vcpu-pin guest 7 all
xl vcpu-pin guest 0 4000
xl vcpu-pin guest 0 x
xl sched-credit2 -d Domain-0 -w 3
xl sched-credit2 -d guest -w 0
xl sysrq guest hh
xl trigger guest explode
xl trigger guest power
xl trigger guest init
xl trigger guest nmi 9
xl shutdown -t 0 guest
xl shutdown Domain-0
xl button-press guest power
xl wait guest --for=nonsense
xl wait guest --for=booted --timeout=0
xl -
xl -N pause guest
xl pause guest other
xl rename guest
xl completion tcsh
xl config-convert guest.cfg
xl validate --json --sarif guest.cfg
xl create -c --json guest.cfg
xl create /
xl console -t serial guest
xl console -t other guest
xl console -n 3 guest
xl daemon restart
xl daemon status --all
xl events --after=x
xl mem-set guest 1x
xl vcpu-set guest x
xl vcpu-pin guest x 0
xl sched-credit2 -w 3
xl sched-credit2 -s -d guest
xl shutdown -t x guest
xl button-press guest other
xl wait guest
xl wait guest --for=running --timeout=x
xl wait guest --for=console=[
xl list >/dev/full
xl dump-core guest /dev/full
xl dump-core guest none/core
xl dump-core --compress=rar guest core
xl config-convert --to toml guest.cfg
xl block-attach guest /dev/x,,xvda
xl -N block-attach guest /dev/x,,nothing
xl -N network-attach guest mac=1
xl -N vcpu-pin guest 0 999
xl sched-credit2 -d guest -c 99999
xl cpupool-list none
xl inspect none
xl inspect .
xl info nothing
xl explain nothing
xl top
!xl pause guest
xl shutdown guest
xl destroy 77
XL_RUNTIME_DIR=$PWD/crash XLD_FAKE_GUEST=crash xl create -F guest.cfg
XL_RUNTIME_DIR=$PWD/none XLD=$PWD/nothing xl list
XL_RUNTIME_DIR=$PWD/none XLD=/bin/false xl list
XL_RUNTIME_DIR=$PWD/open xl list
XL_RUNTIME_DIR=$PWD/kernel xl list
xld --runtime-dir run
xld --runtime-dir $PWD/run
xld --cpus many
xl daemon start --cpus 0
"""


class ErrorsTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="xl-errors-")
        self.env = fake.environment(self.dir, XLD, TERM="dumb")
        for name, content in FILES.items():
            Path(self.dir, name).write_bytes(content)
        for folder in "bin", "open":
            os.mkdir(f"{self.dir}/{folder}")
        os.chmod(self.dir + "/open", 0o777)
        os.symlink(XL, self.dir + "/bin/xl")
        os.symlink(XLD, self.dir + "/bin/xld")

    def tearDown(self):
        for run in "run", "crash":
            self.xl("daemon", "stop", "--all", XL_RUNTIME_DIR=f"{self.dir}/{run}")
        subprocess.run(["rm", "-r", self.dir], check=True)

    def xl(self, *words, **env):
        return subprocess.run([XL, *words], env={**self.env, **env}, cwd=self.dir, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, capture_output=True)

    def shell(self, line, **env):
        return subprocess.run(["sh", "-c", line], env={**self.env, **env, "PATH": f"{self.dir}/bin:{os.environ['PATH']}"},
                              cwd=self.dir, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, capture_output=True)

    def shown(self, text):
        """Without what is another on each machine."""
        text = text.replace(self.dir, "DIR").replace(str(Path(XL).parent.parent), "BUILD")
        text = re.sub(r"CPUs 0-\d+", "CPUs 0-N", re.sub(r"one, CPU 0", "CPUs 0-N", text))
        text = re.sub(r"host's \d+ CPUs", "host's N CPUs", text)
        text = re.sub(r"^created domain .*\n(  \w+ +[\d.]+ ms.*\n)+", "", text)  # of -v
        return re.sub(r"\b\d+ MiB are free", "N MiB are free", text)

    def test_texts(self):
        shown = []
        for line in COMMANDS.strip().splitlines():
            done = self.shell(re.sub(r"(^|[^/])\bxl ", r"\1xl -v ", line.lstrip("!"), count=1))
            if line.startswith("!"):
                self.assertEqual(done.returncode, 0, f"{line}: {done.stderr}")
                continue
            self.assertNotEqual(done.returncode, 0, line)
            self.assertEqual(done.stdout, "", line)
            self.assertNotIn(self.dir, self.shown(done.stderr), line)
            shown.append(f"$ {line}    # {done.returncode}\n{self.shown(done.stderr)}")
        text = "".join(shown)
        if "XL_UPDATE_GOLDEN" in os.environ:
            GOLDEN.write_text(text)
        self.assertMultiLineEqual(text, GOLDEN.read_text())

    def test_each_is_one_error_that_is_explained(self):
        for block in re.split(r"^\$ ", GOLDEN.read_text(), flags=re.MULTILINE)[1:]:
            command, *lines = block.rstrip("\n").split("\n")
            if not lines[0].startswith(("xl: ", "xld: ")) or command.startswith(("xl  ", "xl -x", "xl -  ")):
                continue  # findings in a config; what failed before -v was read
            self.assertEqual(len(lines), 1, command)
            self.assertRegex(lines[0], r"^xld?: error: .* \[[a-z-]+\]$", command)
            name = lines[0].rsplit("[", 1)[1].rstrip("]")
            self.assertTrue(self.xl("explain", name).stdout.startswith(name + ": "), command)

    def test_the_name_is_not_shown_to_programs(self):
        self.assertEqual(self.xl("pause", "none").stderr, "xl: error: there is no domain 'none'; "
                         "`xl list` shows those that there are\n")

    def daemon_error(self, **env):
        done = self.xl("-v", "list", **env)
        self.assertEqual(done.returncode, 5, done.stderr)
        return self.shown(done.stderr)

    def test_a_daemon_that_cannot_start(self):
        self.assertEqual(self.daemon_error(XLD="/nonexistent/xld"),
                         "xl: error: XLD is '/nonexistent/xld', which is missing or cannot be executed (while starting "
                         "xld); set it to the path of xld, or unset it [daemon-missing]\n")
        self.assertEqual(self.daemon_error(XL_RUNTIME_DIR=self.dir + "/open"),
                         "xl: error: the runtime directory 'DIR/open' is not this user's alone; remove it, or set "
                         "XL_RUNTIME_DIR to another path [runtime-dir-unsafe]\n")
        self.assertEqual(self.daemon_error(XL_RUNTIME_DIR=self.dir + "/kernel"),
                         "xl: error: there can be no socket 'DIR/kernel/xld.sock': a part of the path is not a "
                         "directory; set XL_RUNTIME_DIR to another path [runtime-dir-invalid]\n")
        self.assertRegex(self.daemon_error(XLD_CPUS="many"),
                         r"^xl: error: .*many.* \(while starting xld\) \[daemon-bad-option\]\n$")
        self.assertEqual(self.daemon_error(XLD="/bin/false"),
                         "xl: error: it ended without a word (while starting xld); `xl doctor` checks all that it needs "
                         "[daemon-not-started]\n")
        done = self.xl("-v", "daemon", "status")
        self.assertEqual((done.returncode, self.shown(done.stderr)),
                         (5, "xl: error: xld is not running (nobody listens at 'DIR/run/xld.sock'); `xl daemon start` "
                             "starts it [daemon-not-running]\n"))

    def test_explain(self):
        listed = self.xl("explain").stdout
        for name in ("no-such-domain", "qemu-missing", "internal"):
            self.assertIn(f"\n {name} ", listed)
            self.assertIn("\nCause:  ", self.xl("explain", name).stdout)
            self.assertEqual(self.xl("explain", f"[{name.replace('-', '_')}]").stdout, self.xl("explain", name).stdout)
        self.assertFalse(os.path.exists(self.dir + "/run"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
