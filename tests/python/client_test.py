#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python module as a program uses it, on the fake hypervisor."""
import json
import os
import signal
import subprocess
import sys
import threading
import unittest
from pathlib import Path

from fixture import SPEC, TREE, XL, PythonTest, operation_of, used, xlpp

import exposition
from xlpp import _endpoints
from xlpp._client import config_literal
from xlpp._errors import error_from


class DomainTest(PythonTest):
    def test_a_domains_life(self):
        domain = self.create(paused=True)
        self.assertEqual((domain.name, domain.domid, domain.warnings), ("guest", 1, ()))
        self.assertIn("create", " ".join(domain.phases) + " create")
        self.assertTrue(domain.info().paused)
        domain.unpause()
        self.assertFalse(domain.info().paused)
        domain.pause()
        domain.rename("other name")
        self.assertEqual([info.name for info in self.xl.list()], ["Domain-0", "other name"])
        self.assertEqual(self.xl.get(1).name, "other name")
        self.assertEqual([entry["domid"] for entry in self.xl.libxl("other name")], [1])
        self.assertTrue(domain.exists())
        domain.destroy()
        self.assertFalse(domain.exists())
        with self.assertRaises(xlpp.NotFound):
            domain.info()

    def test_configs_from_file_text_and_overrides(self):
        kernel = str(self.dir / "kernel")
        for config in ({"text": f"name='a'\nkernel='{kernel}'\nmemory=8\n"}, {"text": b"name='a'\nkernel='kernel'\n"},
                       {"overrides": {"name": "a", "kernel": kernel, "memory": 8, "acpi": False, "cpus": ["0"]}},
                       {"config": self.dir / "guest.cfg", "overrides": ["name=a"]}):
            with self.xl.create(**config, working_directory=self.dir) as domain:
                self.assertEqual((domain.name, domain.info().name), ("a", "a"))
            self.assertFalse(domain.exists())
        self.assertEqual(self.xl.check(text=f"name='b'\nkernel='{kernel}'").name, "b")
        self.assertEqual([info.name for info in self.xl.list()], ["Domain-0"])

    def test_a_value_comes_back_as_it_was(self):
        command_line = "quote \" and ' and \\ and \t and ü"
        with self.create(overrides={"extra": command_line}) as domain:
            self.assertEqual(self.xl.libxl(domain.name)[0]["config"]["b_info"]["cmdline"], command_line)
        self.assertEqual(config_literal([1, 2]), "[1, 2]")
        self.assertEqual(config_literal(True), "1")

    def test_a_block_that_fails_destroys_its_domain(self):
        with self.assertRaises(ZeroDivisionError):
            with self.create() as domain:
                raise ZeroDivisionError
        self.assertFalse(domain.exists())
        with self.create() as domain:
            domain.destroy()  # it has gone before the end of the block

    def test_resources(self):
        with self.create() as domain:
            memory = domain.memory()
            self.assertEqual(domain.mem_set(memory.static_max_kib - 4096).target_kib, memory.static_max_kib - 4096)
            self.assertEqual(domain.mem_max(memory.static_max_kib).static_max_kib, memory.static_max_kib)
            self.assertEqual(domain.vcpu_set(1), xlpp.VcpuCount(online=1, max=1))
            domain.vcpu_pin(vcpu=0, hard="0")
            self.assertEqual([row.hard_affinity for row in domain.vcpus()], ["0"])
            self.assertEqual([row.domid for row in self.xl.vcpus()], [domain.domid])
            domain.set_share(weight=512)
            self.assertEqual((domain.share().weight, domain.share().cap), (512, 0))
            self.assertEqual(self.xl.shares(), [domain.share()])
            domain.trigger("nmi")
            self.assertIsInstance(domain.counters(), dict)

    def test_the_host(self):
        self.assertGreater(self.xl.host().total_memory_kib, 0)
        self.assertIsInstance(self.xl.counters(), dict)
        log = self.xl.hypervisor_log()
        self.xl.clear_hypervisor_log(log.next)
        self.assertEqual(self.xl.hypervisor_log().text, "")
        self.assertEqual(self.xl.inspect(self.dir / "kernel")["boot_abis"], ["PVH"])
        self.assertIn("xl_domain_state", exposition.families(self.xl.metrics()))

    def test_core_file(self):
        with self.create() as domain:
            progress = []
            domain.dump_core(self.dir / "core", progress=lambda done, of: progress.append((done, of)))
            self.assertEqual((self.dir / "core").read_bytes()[:4], b"\x7fELF")
        with self.assertRaises(xlpp.NotFound):
            domain.dump_core(self.dir / "none")
        self.assertEqual([path.name for path in self.dir.glob("none*")], [])


class ErrorTest(PythonTest):
    def test_findings_in_a_config(self):
        with self.assertRaises(xlpp.InvalidConfig) as caught:
            self.xl.create(text="name='x'\nkernel='kernel'\nmemory='many'\nvcpus=0\n")
        error = caught.exception
        self.assertEqual((error.code, [(found.location.line, found.severity) for found in error.diagnostics]),
                         ("invalid_config", [(3, "error"), (4, "error")]))
        self.assertEqual((error.location.file, error.location.line), ("text", 3))
        self.assertIn("memory='many'", error.diagnostics[0].text)
        self.assertIn("^", error.rendered)
        self.assertTrue(error.message)

    def test_each_code_is_a_class_of_its_own(self):
        codes = SPEC["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"]["enum"]
        classes = {kind.code: kind for kind in xlpp.XlError.__subclasses__()}
        self.assertEqual(set(codes) - set(classes), set())

    def test_what_xld_says_of_an_error(self):
        whole = {"code": "invalid_config", "id": "some-error", "message": "m", "hint": "h", "context": ["a", "b"],
                 "phase": "config", "location": {"file": "f", "line": 2, "column": 3}}
        error = error_from({"error": whole}, 422)
        self.assertIsInstance(error, xlpp.InvalidConfig)
        self.assertEqual((error.id, error.phase, error.location), ("some-error", "config", xlpp.Location("f", 2, 3)))
        self.assertEqual(str(error), "m (while a, while b); h")
        newer = error_from({"error": {"code": "brand_new", "message": "m", "more": 1}}, 500)
        self.assertEqual((type(newer), newer.code, newer.location), (xlpp.XlError, "brand_new", None))
        for body in None, [], {}, {"error": "text"}:
            self.assertIsInstance(error_from(body, 500), xlpp.ProtocolError)

    def test_causes(self):
        self.create()
        for kind, call in ((xlpp.AlreadyExists, self.create), (xlpp.NotFound, lambda: self.xl.get("none")),
                           (xlpp.NotFound, lambda: self.xl.create(self.dir / "none.cfg")),
                           (xlpp.InvalidArgument, lambda: self.xl.create("a", text="b")),
                           (xlpp.InvalidArgument, lambda: self.xl.get("guest").vcpu_set(2)),
                           (xlpp.Timeout, lambda: self.xl.get("guest").shutdown(timeout=0.02)),
                           (xlpp.Timeout, lambda: self.xl.get("guest").sysrq("h", timeout=0.02)),
                           (xlpp.NotSupported, lambda: self.xl.get("guest").trigger("power"))):
            with self.assertRaises(kind) as caught:
                call()
            self.assertEqual(caught.exception.code, kind.code)
            self.assertTrue(str(caught.exception))


class DaemonTest(PythonTest):
    def test_is_started_once_when_many_ask(self):
        pids = set()
        threads = [threading.Thread(target=lambda: pids.add(self.client().daemon().pid)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(pids), 1)

    def test_is_not_started_unasked(self):
        with self.assertRaises(xlpp.NotFound):
            self.client(start=False).list()
        self.client(start=False).stop_daemon()

    def test_that_cannot_be_started(self):
        with self.assertRaisesRegex(xlpp.IoError, "/nonexistent"):
            xlpp.Client(self.dir / "run", xl="/nonexistent").list()
        os.environ["XLD"] = "/nonexistent/xld"
        with self.assertRaisesRegex(xlpp.IoError, "/nonexistent/xld"):
            self.xl.list()
        os.environ["XLD"] = sys.argv[2]

    def test_that_is_killed_is_started_again(self):
        first = self.xl.daemon()
        os.kill(first.pid, signal.SIGKILL)
        self.assertNotEqual(self.xl.daemon().pid, first.pid)

    def test_in_a_folder_with_a_long_path(self):
        client = type(self.xl)(self.dir / ("x" * 120), xl=XL)
        self.addCleanup(client.stop_daemon, destroy_domains=True)
        self.assertEqual([info.name for info in client.list()], ["Domain-0"])

    def test_default_folder_is_the_one_of_xl(self):
        done = subprocess.run([XL, "daemon", "status"], env={"XDG_RUNTIME_DIR": str(self.dir)}, capture_output=True,
                              text=True, check=False)
        saved = {name: os.environ.pop(name, None) for name in ("XL_RUNTIME_DIR", "XDG_RUNTIME_DIR")}
        try:
            os.environ["XDG_RUNTIME_DIR"] = str(self.dir)
            self.assertIn(xlpp.default_runtime_dir(), done.stdout + done.stderr)
        finally:
            os.environ.pop("XDG_RUNTIME_DIR")
            os.environ.update({name: value for name, value in saved.items() if value is not None})


class ConfigTest(PythonTest):
    def test_convert(self):
        yaml = self.xl.convert(self.dir / "guest.cfg", to="yaml")
        self.assertIn("name: guest\n", yaml.text)
        self.assertEqual(yaml.rendered_warnings, "")
        back = self.xl.convert(text=yaml.text, to="cfg", source_format="yaml")
        again = self.xl.convert(text=back.text, to="yaml")
        self.assertEqual(again.text, yaml.text)
        self.assertIn("<domain type=", self.xl.convert(self.dir / "guest.cfg", to="xml").text)
        with self.assertRaises(xlpp.InvalidConfig) as caught:
            self.xl.convert(text="name = [", to="json")
        self.assertEqual(caught.exception.location.line, 1)
        with self.assertRaises(xlpp.NotFound):
            self.xl.convert(self.dir / "none.cfg", to="json")

    def test_validate(self):
        good = self.xl.validate(self.dir / "guest.cfg")
        self.assertEqual((good.valid, good.diagnostics, good.rendered, good.sarif), (True, (), "", None))
        text = "name='a'\nkernel='k'\nmemroy=8\n"
        loose = self.xl.validate(text=text)
        self.assertTrue(loose.valid)
        self.assertEqual([(each.severity, each.location.line) for each in loose.diagnostics], [("warning", 3)])
        strict = self.xl.validate(self.dir / "guest.cfg", text=text, strict=True, sarif=True)
        self.assertFalse(strict.valid)
        self.assertEqual([(each.severity, each.text) for each in strict.diagnostics], [("error", "memroy=8")])
        self.assertIn("did you mean 'memory'?", strict.rendered)
        self.assertEqual(strict.sarif["version"], "2.1.0")
        with self.assertRaises(xlpp.InvalidArgument):
            self.xl.validate()

    def test_check_shows_libxls_form(self):
        checked = self.xl.check(self.dir / "guest.cfg", working_directory=self.dir)
        self.assertEqual(json.loads(checked.libxl)["c_info"]["name"], "guest")


class WholeContractTest(unittest.TestCase):
    """Runs last, by its name."""

    def test_every_endpoint_is_described_with_its_parameters(self):
        self.assertGreater(len(_endpoints.ALL), 30)
        for endpoint in _endpoints.ALL:
            names = {entry["name"] for entry in operation_of(endpoint).get("parameters", ())}
            self.assertEqual(set(endpoint.query) - names, set(), endpoint)

    def test_every_endpoint_was_used(self):
        elsewhere = {_endpoints.EVENTS, _endpoints.CONSOLE}  # stream_test.py
        self.assertEqual(set(_endpoints.ALL) - elsewhere - used, set())

    def test_targets(self):
        self.assertEqual(_endpoints.FIND.target("a b/ü", {}), "/v1/domains/a%20b%2F%C3%BC")
        self.assertEqual(_endpoints.CORE.target("a", {"live": True, "compression": None}),
                         "/v1/domains/a/core?live=true")

    def test_version_is_the_projects(self):
        meson = Path(TREE, "meson.build").read_text(encoding="utf-8")
        version = meson.partition("version: '")[2].partition("'")[0]
        self.assertIn(f'version = "{version}"', Path(TREE, "python/pyproject.toml").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
