#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vcpus of Debian's kernel: as many as were asked for, more and fewer while it runs, and what can be sent to them."""
import queue
import re
import threading
import harness
import initramfs

# What a distribution does by a udev rule: a cpu that was plugged is put to use.
# Linux announces it a moment before it can be used, so that it takes more than one try now and then.
PLUG = """
[ "$SUBSYSTEM" = cpu ] && [ "$ACTION" = add ] || exit
for try in 1 2 3 4 5 6 7 8; do
  echo 1 >"/sys$DEVPATH/online" && break
done 2>/dev/null
"""
INIT = """
topology() { sort -u /sys/devices/system/cpu/cpu[0-9]*/topology/$1 | wc -l; }
uevent /bin/plug &
echo "ready nproc=$(nproc)"
while read -r line; do
  case $line in
    nproc) echo "answer $(nproc)" ;;
    memory) awk '/MemTotal/ { print "answer " int($2 / 1024) }' /proc/meminfo ;;
    cores) echo "answer $(topology core_id) $(topology physical_package_id)" ;;
    apicids) echo "answer" $(awk '/^apicid/ { print $3 }' /proc/cpuinfo) ;;
    *) echo "answer ?" ;;
  esac
done
"""


class Guest:
    """A domain with its console here: lines that it printed, and questions that it answers."""

    def __init__(self, machine, name, **keys):
        self.machine, self.name, self.text = machine, name, ""
        self.lines = queue.Queue()
        keys = {"memory": 256, "extra": "console=hvc0 quiet loglevel=4"} | keys
        self.process = machine.popen("create", "-c", *machine.configuration(harness.KERNEL, name=name, **keys),
                                     stdin=harness.subprocess.PIPE)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.text += line
            self.lines.put(line)
        self.lines.put(None)

    def expect(self, pattern, seconds=60):
        """The next line that matches."""
        end = harness.time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, end - harness.time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{self.name}: no '{pattern}' in {seconds} s\n{self.text[-3000:]}\n"
                                     f"{self.machine.hypervisor_log()[-1500:]}") from None
            if line is None:
                raise AssertionError(f"{self.name} ended before '{pattern}'\n{self.text[-3000:]}\n"
                                     f"{self.machine.hypervisor_log()[-1500:]}")
            if found := re.search(pattern, line):
                return found

    def ask(self, question):
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return self.expect(r"^answer (.*?)\r?$")[1]

    def end(self):
        self.machine.xl("destroy", self.name, check=False)
        self.process.communicate(timeout=20)


class Smp(harness.VmTest):
    @classmethod
    def setUpClass(cls):
        if not harness.KERNEL.exists() or not (harness.FETCHED / "busybox").exists():
            raise harness.unittest.SkipTest("no Debian kernel: ./devtool test fetches it")
        super().setUpClass()
        cls.initrd = str(initramfs.write(cls.machine.directory / "smp.img", INIT, plug=PLUG))

    def guest(self, name, **keys):
        guest = Guest(self.machine, name, ramdisk=self.initrd, **keys)
        self.addCleanup(guest.end)
        return guest

    def online(self, name):
        return int(self.machine.xl("list", name).stdout.splitlines()[1].split()[3])

    # --- as many as were asked for ---

    def expect_vcpus(self, vcpus, memory):
        guest = self.guest(f"m{memory}c{vcpus}", vcpus=vcpus, memory=memory)
        self.assertEqual(int(guest.expect(r"ready nproc=(\d+)", 120)[1]), vcpus)
        self.assertEqual(self.online(guest.name), vcpus)
        self.assertEqual(guest.ask("cores"), f"{vcpus} 1")
        self.assertEqual(guest.ask("apicids").split(), [str(2 * vcpu) for vcpu in range(vcpus)])
        self.assertGreater(int(guest.ask("memory")), memory * 0.85)
        self.assertNotRegex(guest.text, r"(?i)call trace|kernel panic|BUG:|WARNING:")
        guest.end()

    def matrix(self, memory):
        """Two at a time, the large ones first: the machine's CPUs are never idle, and never overrun."""
        todo = queue.Queue()
        for vcpus in (32, 8, 4, 3, 2, 1):
            todo.put(vcpus)
        failures = []

        def work():
            try:
                while True:
                    self.expect_vcpus(todo.get_nowait(), memory)
            except queue.Empty:
                return
            except Exception as failure:  # pylint: disable=broad-except
                failures.append(failure)
        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        for failure in failures:
            raise failure

    def test_nproc_with_512_mib(self):
        self.matrix(512)

    def test_nproc_with_5_gib(self):
        self.matrix(5 * 1024)

    # --- more and fewer ---

    def set_vcpus(self, guest, count):
        self.machine.xl("vcpu-set", "-i", guest.name, count)
        self.assertEqual(self.online(guest.name), count)
        # The hypervisor sees a vcpu start a moment before its kernel counts it.
        harness.wait_until(lambda: guest.ask("nproc") == str(count), f"nproc is {count}", 5)

    def test_a_hundred_cycles(self):
        guest = self.guest("plug", vcpus=1, maxvcpus=4)
        self.assertEqual(guest.expect(r"ready nproc=(\d+)")[1], "1")
        for cycle in range(100):
            self.set_vcpus(guest, (2, 2, 3, 4)[cycle % 4])
            self.set_vcpus(guest, 1)
        self.assertNotRegex(guest.text, r"(?i)call trace|kernel panic|BUG:|WARNING:")

    def test_some_at_the_start_and_many_later(self):
        guest = self.guest("many", vcpus=3, maxvcpus=16)
        self.assertEqual(guest.expect(r"ready nproc=(\d+)")[1], "3")
        for count in (16, 2, 9):
            self.set_vcpus(guest, count)
        listed = harness.json.loads(self.machine.xl("list", "-l", "many").stdout)
        self.assertEqual(listed[0]["config"]["b_info"]["avail_vcpus"], list(range(9)))

    def test_refusals(self):
        self.machine.create("idle", name="tiny", vcpus=1, maxvcpus=4)

        def refuse(*arguments, words):
            self.expect_error(self.machine.xl("vcpu-set", *arguments, check=False), *words)
        refuse("tiny", 0, words=["at least one vcpu", "xl shutdown tiny"])
        refuse("-i", "tiny", 5, words=["at most 4 vcpus", "maxvcpus=5"])
        refuse("tiny", 4, words=["more than the 2 CPUs of the host", "--ignore-host"])
        refuse("-i", "-t", 1, "tiny", 2, words=["no driver", "1 s", "1 online", "CONFIG_HOTPLUG_CPU"])
        refuse("nobody", 1, words=["nobody"])
        self.machine.xl("pause", "tiny")
        refuse("tiny", 2, words=["paused", "xl unpause"])
        wrong = self.machine.xl("vcpu-set", "tiny", "two", check=False)
        self.assertEqual(wrong.returncode, 2, wrong.stderr)
        self.assertEqual(self.online("tiny"), 1)

    def test_a_guest_without_the_rule_gets_half_way(self):
        initrd = initramfs.write(self.machine.directory / "half.img", INIT, plug="")
        guest = Guest(self.machine, "half", ramdisk=str(initrd), vcpus=1, maxvcpus=2)
        self.addCleanup(guest.end)
        guest.expect("ready")
        self.expect_error(self.machine.xl("vcpu-set", "-t", 1, "half", 2, check=False), "1 of 2 vcpus are online",
                          "/sys/devices/system/cpu/cpuN/online")

    # --- triggers ---

    def test_triggers(self):
        guest = self.guest("target", vcpus=2, on_reboot="destroy")
        guest.expect("ready")
        for vcpu in (0, 1):
            self.machine.xl("trigger", "target", "nmi", vcpu)
            guest.expect(rf"NMI.* on CPU {vcpu}")
        self.assertEqual(guest.ask("nproc"), "2")
        for trigger, word in (("power", "ACPI button"), ("sleep", "ACPI button"), ("s3resume", "S3"), ("frob", "s3resume")):
            self.expect_error(self.machine.xl("trigger", "target", trigger, check=False), word)
        self.expect_error(self.machine.xl("trigger", "target", "init", check=False), "firmware")
        self.expect_error(self.machine.xl("trigger", "target", "nmi", 7, check=False), "no vcpu 7")
        self.machine.xl("trigger", "target", "init", 1)
        harness.wait_until(lambda: self.online("target") == 1, "INIT took the vcpu offline")
        self.expect_error(self.machine.xl("trigger", "target", "nmi", 1, check=False), "offline")
        self.machine.xl("trigger", "target", "reset")
        harness.wait_until(lambda: "target" not in self.machine.domains(), "the reset ended the domain")


if __name__ == "__main__":
    harness.main()
