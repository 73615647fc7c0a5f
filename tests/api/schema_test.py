#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every path, method and status of openapi.yaml against a running xld, both ways: what the daemon
answers is what the file says, and what the file says the daemon has."""
import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import jsonschema

sys.path.append(str(Path(__file__).parents[1]))
import exposition  # noqa: E402
import fake  # noqa: E402
from schema_peer import UnixConnection, resolve, spec  # noqa: E402

DAEMON = sys.argv[1]


class SchemaTest(unittest.TestCase):
    seen = set()

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.kernel = cls.dir.name + "/kernel"
        with open(cls.kernel, "wb") as file:
            file.write(fake.kernel())
        run = cls.dir.name + "/run"
        ready, theirs = os.pipe()
        cls.daemon = subprocess.Popen([DAEMON, "--runtime-dir", run, "--ready-fd", str(theirs), "--log-level", "error"],
                                      pass_fds=[theirs])
        os.close(theirs)
        assert os.read(ready, 100) == b"READY=1\n"
        os.close(ready)
        cls.socket = run + "/xld.sock"

    @classmethod
    def tearDownClass(cls):
        cls.daemon.terminate()
        assert cls.daemon.wait(30) == 0
        cls.dir.cleanup()

    def call(self, method, path, template=None, body=None, request_schema=True):
        """Sends, checks against the spec, returns status and body."""
        template = template or path.split("?")[0]
        operation = spec["paths"][template][method.lower()]
        if body is not None and request_schema:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            jsonschema.validate(body, resolve(schema))
        connection = UnixConnection(self.socket)
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        text = response.read()
        connection.close()
        described = operation["responses"].get(str(response.status))
        if described is None:
            self.assertGreaterEqual(response.status, 400, f"{method} {path}: status not in the spec")
            described = operation["responses"]["default"]
        described = resolve(described)
        self.seen.add((method.lower(), template, min(response.status, 400)))
        if "content" not in described:
            self.assertEqual(text, b"")
            return response.status, None
        kind = response.getheader("Content-Type")
        self.assertIn(kind, described["content"])
        if kind != "application/json":  # text
            return response.status, text.decode()
        value = json.loads(text)
        jsonschema.validate(value, described["content"][kind]["schema"])
        return response.status, value

    def config(self, name, extra=""):
        return {"config": {"name": name + ".cfg", "text": f"name='{name}'\nkernel='{self.kernel}'\nmemory=8\n{extra}"}}

    def make(self, name, **more):
        status, created = self.call("POST", "/v1/domains", body={**self.config(name), **more})
        self.assertEqual(status, 201, created)
        return created

    def test_domains(self):
        domid = self.make("a b", paused=True)["domid"]
        status, domain = self.call("GET", "/v1/domains/a%20b", "/v1/domains/{domain}")
        self.assertEqual((status, domain["domid"], domain["paused"]), (200, domid, True))
        _, everything = self.call("GET", "/v1/domains")
        self.assertEqual([d["name"] for d in everything["domains"]], ["Domain-0", "a b"])
        for action in "unpause", "pause", "unpause":
            status, _ = self.call("POST", f"/v1/domains/{domid}/{action}", "/v1/domains/{domain}/" + action)
            self.assertEqual(status, 204)
        path, pattern = f"/v1/domains/{domid}/memory", "/v1/domains/{domain}/memory"
        status, memory = self.call("GET", path, pattern)
        self.assertEqual(status, 200, memory)
        status, memory = self.call("POST", path, pattern, {"target_kib": memory["static_max_kib"] - 4096})
        self.assertEqual(status, 200, memory)
        self.assertEqual(memory["target_kib"], memory["static_max_kib"] - 4096)
        status, _ = self.call("POST", path, pattern, {"target_kib": memory["static_max_kib"] + 1})
        self.assertGreaterEqual(status, 400)
        status, _ = self.call("POST", f"/v1/domains/{domid}/rename", "/v1/domains/{domain}/rename", {"name": "c"})
        self.assertEqual(status, 204)
        _, configs = self.call("GET", "/v1/libxl")
        self.assertEqual([c["domid"] for c in configs], [0, domid])
        self.assertEqual(configs[1]["config"]["c_info"]["name"], "c")
        _, configs = self.call("GET", "/v1/libxl?domain=c")
        self.assertEqual([c["domid"] for c in configs], [domid])
        self.assertEqual(self.call("GET", "/v1/domains/c/counters", "/v1/domains/{domain}/counters")[0], 200)
        status, text = self.call("GET", "/v1/domains/c/console", "/v1/domains/{domain}/console")
        self.assertEqual((status, text), (200, f"Hello from domain {domid}\r\n"))
        self.assertEqual(self.call("GET", "/v1/domains/c/console?history=true", "/v1/domains/{domain}/console"),
                         (status, text))
        self.assertEqual(self.call("DELETE", "/v1/domains/c", "/v1/domains/{domain}")[0], 204)
        self.assertEqual(self.call("GET", "/v1/domains/c", "/v1/domains/{domain}")[0], 404)

    def test_guest_requests(self):
        """The fake's guest takes nothing, so each request is withdrawn."""
        domid = self.make("deaf")["domid"]
        for action, body in [("shutdown", {"action": "poweroff"}), ("shutdown", {"action": "poweroff", "trigger": True}),
                             ("sysrq", {"letter": "h"})]:
            status, error = self.call("POST", f"/v1/domains/{domid}/{action}", "/v1/domains/{domain}/" + action,
                                      {**body, "timeout_ms": 20})
            self.assertEqual((status, error["error"]["code"]), (501 if "trigger" in body else 504,
                                                                "not_supported" if "trigger" in body else "timeout"))
        for action, body in [("shutdown", {"action": "explode"}), ("shutdown", {}), ("sysrq", {"letter": "hh"}),
                             ("sysrq", {"letter": ""}), ("shutdown", {"action": "reboot", "timeout_ms": 1 << 40})]:
            status, _ = self.call("POST", f"/v1/domains/{domid}/{action}", "/v1/domains/{domain}/" + action, body,
                                  request_schema=False)
            self.assertEqual(status, 400)
        self.call("POST", "/v1/domains/deaf/pause", "/v1/domains/{domain}/pause")
        status, error = self.call("POST", "/v1/domains/deaf/shutdown", "/v1/domains/{domain}/shutdown",
                                  {"action": "poweroff"})
        self.assertEqual((status, error["error"]["code"]), (503, "busy"))

    def test_guest_requests_end_with_their_domain(self):
        for action, body in ("shutdown", {"action": "poweroff"}), ("sysrq", {"letter": "h"}):
            domid = self.make("going")["domid"]
            answer = []
            asking = threading.Thread(target=lambda: answer.append(self.call(
                "POST", f"/v1/domains/{domid}/{action}", "/v1/domains/{domain}/" + action, body)[0]))
            asking.start()
            connection = UnixConnection(self.socket)
            connection.request("GET", "/v1/events?after=0")
            response = connection.getresponse()
            while not ((event := json.loads(response.readline()))["event"] == "trigger" and event["domid"] == domid):
                pass
            connection.close()
            self.call("DELETE", f"/v1/domains/{domid}", "/v1/domains/{domain}")
            asking.join()
            self.assertEqual(answer, [204])

    def test_scheduling(self):
        domid = self.make("shared", paused=True)["domid"]
        path = f"/v1/domains/{domid}"
        template = "/v1/domains/{domain}"
        pin = {"vcpu": 0, "hard": "0", "soft": "-"}
        self.assertEqual(self.call("POST", path + "/affinity", template + "/affinity", pin)[0], 204)
        share = {"weight": 512, "cap": 50}
        self.assertEqual(self.call("POST", path + "/scheduling", template + "/scheduling", share)[0], 204)
        rows = self.call("GET", path + "/vcpus", template + "/vcpus")[1]["vcpus"]
        self.assertEqual([(row["hard_affinity"], row["soft_affinity"]) for row in rows], [("0", "all")])
        self.assertIn(rows[0], self.call("GET", "/v1/vcpus")[1]["vcpus"])
        rows = self.call("GET", path + "/scheduling", template + "/scheduling")[1]["domains"]
        self.assertEqual(rows, [{"domid": domid, "name": "shared", "weight": 512, "cap": 50}])
        self.assertIn(rows[0], self.call("GET", "/v1/scheduling")[1]["domains"])
        for end, body in [("/affinity", {"hard": "1024"}), ("/affinity", {"hard": "1000"}), ("/affinity", {"hart": "0"}),
                          ("/affinity", {"vcpu": 1, "hard": "0"}), ("/scheduling", {"weight": 0}),
                          ("/scheduling", {"cap": 65536})]:
            self.assertEqual(self.call("POST", path + end, template + end, body, request_schema=False)[0], 400, body)
        for method, end in [("POST", "/affinity"), ("POST", "/scheduling"), ("GET", "/vcpus"), ("GET", "/scheduling")]:
            status, error = self.call(method, "/v1/domains/0" + end, template + end, {} if method == "POST" else None)
            self.assertEqual((status, error["error"]["code"]), (501, "not_supported"))
        self.assertEqual(self.call("DELETE", path, template)[0], 204)

    def test_vcpus_and_triggers(self):
        domid = self.make("single")["domid"]
        path, template = f"/v1/domains/{domid}", "/v1/domains/{domain}"
        status, count = self.call("POST", path + "/vcpus", template + "/vcpus", {"vcpus": 1})
        self.assertEqual((status, count), (200, {"online": 1, "max": 1}))
        for body in {"vcpus": 0}, {"vcpus": 2}, {"vcpus": "1"}, {"vcpu": 1}:
            self.assertEqual(self.call("POST", path + "/vcpus", template + "/vcpus", body, request_schema=False)[0], 400, body)
        self.assertEqual(self.call("POST", path + "/trigger", template + "/trigger", {"trigger": "nmi", "vcpu": 0})[0], 204)
        for trigger, code in (("power", 501), ("s3resume", 501), ("frob", 400)):
            self.assertEqual(self.call("POST", path + "/trigger", template + "/trigger", {"trigger": trigger},
                                       request_schema=False)[0], code)
        self.assertEqual(self.call("DELETE", path, template)[0], 204)

    def test_missing_domains(self):
        for method, action in [("GET", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/unpause"),
                               ("GET", "/counters"), ("GET", "/console")]:
            status, error = self.call(method, "/v1/domains/none" + action, "/v1/domains/{domain}" + action)
            self.assertEqual((status, error["error"]["code"]), (404, "not_found"))
        status, _ = self.call("POST", "/v1/domains/none/rename", "/v1/domains/{domain}/rename", {"name": "x"})
        self.assertEqual(status, 404)
        self.assertEqual(self.call("GET", "/v1/libxl?domain=none")[0], 404)

    def test_configs(self):
        status, checked = self.call("POST", "/v1/check", body=self.config("a"))
        self.assertEqual(status, 200)
        self.assertTrue(checked["layout"])
        self.assertEqual(json.loads(checked["libxl"])["c_info"]["name"], "a")
        unknown = self.config("a", "vcpu=4\n")
        self.assertIn("unknown key", self.call("POST", "/v1/check", body=unknown)[1]["rendered_warnings"])
        self.assertEqual(self.call("POST", "/v1/check", body={**unknown, "strict": True})[0], 422)
        self.assertEqual(self.call("POST", "/v1/domains", body={**unknown, "strict": True})[0], 422)
        for path in "/v1/check", "/v1/domains":
            status, error = self.call("POST", path, body=self.config("a", "maxmem='x'\nvcpu=4\n"))
            self.assertEqual((status, error["error"]["code"]), (422, "invalid_config"))
            self.assertEqual([d["line"] for d in error["error"]["diagnostics"]], [4, 5])
            self.assertIn("^", error["error"]["rendered"])
        body = self.config("a")
        body["config"]["text_base64"] = base64.b64encode(b"name='\xff'").decode()
        del body["config"]["text"]
        self.assertEqual(self.call("POST", "/v1/check", body=body)[0], 422)

    def test_conversions(self):
        config = {"name": "a.cfg", "text": "name='a'\nkernel='/k'\nextra=\"\\x01\"\n"}
        for form in "cfg", "yaml", "json":
            status, converted = self.call("POST", "/v1/convert", body={"config": config, "to": form})
            self.assertEqual((status, converted["rendered_warnings"]), (200, ""))
            back = {"config": {"name": "x", "text": converted["text"]}, "to": "cfg", "from": form}
            self.assertIn('extra = "\\x01"\n', self.call("POST", "/v1/convert", body=back)[1]["text"])
        status, error = self.call("POST", "/v1/convert", body={"config": config, "to": "xml"})
        self.assertEqual((status, [d["line"] for d in error["error"]["diagnostics"]]), (422, [3]))
        toml = {"config": config, "to": "toml"}
        self.assertEqual(self.call("POST", "/v1/convert", body=toml, request_schema=False)[0], 400)

    def test_device_specifications(self):
        for kind, word, member in (("disk", "/dev/vg/a,raw,xvda,rw", "vdev"), ("vif", "mac=00:16:3e:01:02:03", "mac")):
            status, parsed = self.call("POST", f"/v1/parse/{kind}", "/v1/parse/{kind}", {"words": [word]})
            self.assertEqual(status, 200, parsed)
            self.assertIn(member, parsed["device"])
        status, error = self.call("POST", "/v1/parse/disk", "/v1/parse/{kind}", {"words": ["/a,rwx,xvda"]})
        self.assertEqual((status, error["error"]["code"]), (422, "invalid_config"), error)
        self.assertEqual(self.call("POST", "/v1/parse/frob", "/v1/parse/{kind}", {"words": ["x"]})[0], 404)
        self.assertEqual(self.call("POST", "/v1/parse/cpumap", body={"hard": "0-1,^1"}), (200, {"cpumap": "0"}))

    def test_validation(self):
        good = {"name": "a.yaml", "text": "name: a\nkernel: /k\n"}
        self.assertEqual(self.call("POST", "/v1/validate", body={"configs": [good]})[1],
                         {"valid": True, "rendered": "", "diagnostics": []})
        bad = {"name": "b.json", "text": '{"name": "b",\n "kernel": "/k", "memory": "x"}\n'}
        answer = self.call("POST", "/v1/validate", body={"configs": [good, bad], "sarif": True})[1]
        self.assertFalse(answer["valid"])
        self.assertEqual([(d["file"], d["line"], d["column"], d["rule"]) for d in answer["diagnostics"]],
                         [("b.json", 2, 28, "value")])
        self.assertEqual(answer["sarif"]["runs"][0]["results"][0]["ruleId"], "xl/value")
        unknown = {"name": "c.cfg", "text": "name='c'\nkernel='/k'\nvcpu=4\n"}
        answer = self.call("POST", "/v1/validate", body={"configs": [unknown], "strict": True})[1]
        self.assertEqual((answer["valid"], [d["rule"] for d in answer["diagnostics"]]), (False, ["key"]))
        self.assertEqual(self.call("POST", "/v1/validate", body={"configs": []}, request_schema=False)[0], 400)

    def test_refused_requests(self):
        for body in ({}, {"config": {}}, {**self.config("a"), "pause": True}, {**self.config("a"), "paused": 1}):
            schema = spec["paths"]["/v1/domains"]["post"]["requestBody"]["content"]["application/json"]["schema"]
            if body.get("config") != {"name": ""}:
                with self.assertRaises(jsonschema.ValidationError):
                    jsonschema.validate(body, resolve(schema))
            status, error = self.call("POST", "/v1/domains", body=body, request_schema=False)
            self.assertEqual((status, error["error"]["code"]), (400, "protocol"))

    def test_host(self):
        self.assertEqual(self.call("GET", "/v1/host")[1]["hypervisor"], "fake")
        self.assertEqual(self.call("GET", "/v1/host/counters")[0], 200)
        _, log = self.call("GET", "/v1/host/log")
        self.assertEqual(self.call("GET", f"/v1/host/log?from={log['next']}")[1]["text"], "")
        self.assertEqual(self.call("DELETE", f"/v1/host/log?before={log['next']}", "/v1/host/log")[0], 204)
        self.assertEqual(self.call("DELETE", "/v1/host/log")[0], 400)
        self.assertEqual(self.call("GET", "/v1/host/log?from=x")[0], 400)

    def test_metrics(self):
        self.make("measured")
        status, text = self.call("GET", "/v1/metrics")
        self.assertEqual(status, 200)
        families = exposition.families(text)
        state = {(sample.labels["name"], sample.labels["state"]): sample.value
                 for sample in families["xl_domain_state"].samples}
        self.assertEqual((state["measured", "running"] + state["measured", "blocked"], state["measured", "paused"]),
                         (1, 0))
        self.assertEqual(families["xl_domain_memory_bytes"].type, "gauge")
        self.assertEqual(families["xl_events"].type, "counter")  # the parser takes the _total off
        created = [s.value for s in families["xl_events"].samples if s.labels == {"event": "created"}]
        self.assertGreaterEqual(created[0], 1)
        self.assertEqual(families["xl_api_request_seconds"].type, "summary")
        self.assertGreater(families["process_resident_memory_bytes"].samples[0].value, 1 << 20)
        for family in families.values():
            self.assertTrue(family.documentation, family.name)
            self.assertNotEqual(family.type, "unknown", family.name)
        self.call("DELETE", "/v1/domains/measured", "/v1/domains/{domain}")

    def test_errors_say_which_phase_and_where(self):
        """The schema itself is held to by each call."""
        def error(answer):
            self.assertGreaterEqual(answer[0], 400)
            return answer[1]["error"]
        gone = error(self.call("DELETE", "/v1/domains/none", "/v1/domains/{domain}"))
        self.assertEqual((gone["code"], gone["id"]), ("not_found", "no-such-domain"))
        self.assertNotIn("phase", gone)

        def refused(**more):
            config = {"name": "a.cfg", "text": f"name='a'\nkernel='{self.kernel}'\nmemory=8\n", **more}
            return error(self.call("POST", "/v1/domains", body={"config": config}))
        wrong = refused(text="name='a'\nmemory=[\n")
        self.assertEqual((wrong["code"], wrong["id"], wrong["phase"]), ("invalid_config", "config-syntax", "config"))
        first = wrong["diagnostics"][0]
        self.assertEqual(wrong["location"], {key: first[key] for key in ("file", "line", "column")})
        self.assertEqual(wrong["location"]["file"], "a.cfg")
        missing = refused(text="name='a'\nkernel='/none'\nmemory=8\n")
        self.assertEqual((missing["code"], missing["id"], missing["phase"]), ("not_found", "image-missing", "image"))
        no_kernel = refused(text="name='a'\nkernel='/etc/passwd'\nmemory=8\n")
        self.assertEqual((no_kernel["code"], no_kernel["id"]), ("invalid_image", "kernel-format"))
        self.make("taken")
        taken = refused(text=f"name='taken'\nkernel='{self.kernel}'\nmemory=8\n")
        self.assertEqual((taken["code"], taken["id"], taken["phase"]), ("already_exists", "name-taken", "config"))
        self.call("DELETE", "/v1/domains/taken", "/v1/domains/{domain}")
        self.assertEqual(error(self.call("POST", "/v1/images/inspect", body={"path": 3}, request_schema=False))["id"], "bad-request")

    def test_images(self):
        status, report = self.call("POST", "/v1/images/inspect", body={"path": self.kernel})
        self.assertEqual((status, report["boot_abis"]), (200, ["PVH"]))
        self.assertEqual(self.call("POST", "/v1/images/inspect", body={"path": "/none"})[0], 404)
        self.assertEqual(self.call("POST", "/v1/images/inspect", body={"path": "relative"})[0], 400)

    def test_events(self):
        connection = UnixConnection(self.socket)
        connection.request("GET", "/v1/events")
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        described = resolve(spec["paths"]["/v1/events"]["get"]["responses"]["200"]["content"])
        schema = described[response.getheader("Content-Type")]["schema"]
        domid = self.make("eventful")["domid"]
        self.call("DELETE", "/v1/domains/eventful", "/v1/domains/{domain}")
        kinds = []
        while "ended" not in kinds:
            event = json.loads(response.readline())
            jsonschema.validate(event, schema)
            if event["domid"] == domid:
                kinds.append(event["event"])
        self.assertEqual(kinds, ["created", "unpaused", "ended"])
        connection.close()
        kept = UnixConnection(self.socket)
        kept.request("GET", "/v1/events?follow=false")
        response = kept.getresponse()
        self.assertEqual(response.getheader("Content-Type"), "application/x-ndjson")
        events = [json.loads(line) for line in response.read().splitlines()]
        for event in events:
            jsonschema.validate(event, schema)
        self.assertEqual([event["event"] for event in events if event["domid"] == domid], kinds)
        middle = events[-2]["seq"]
        kept.request("GET", f"/v1/events?follow=false&after={middle}")
        self.assertEqual([json.loads(line) for line in kept.getresponse().read().splitlines()], events[-1:])
        kept.request("GET", f"/v1/events?after={middle}")  # the stream begins with them
        self.assertEqual(json.loads(kept.getresponse().readline()), events[-1])
        kept.close()
        self.assertEqual(self.call("GET", "/v1/events?after=x")[0], 400)
        self.assertEqual(self.call("GET", "/v1/events?follow=false&after=x")[0], 400)
        self.seen.add(("get", "/v1/events", 200))

    def test_console_upgrade(self):
        domid = self.make("talker")["domid"]
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(30)
        stream.connect(self.socket)
        stream.sendall(b"GET /v1/domains/talker/console HTTP/1.1\r\nHost: x\r\n"
                       b"Connection: Upgrade\r\nUpgrade: xl-console\r\n\r\n")
        line = f"Hello from domain {domid}\r\n".encode()
        got = b""
        while line not in got:
            got += stream.recv(4096)
        self.assertTrue(got.startswith(b"HTTP/1.1 101 "))
        self.call("DELETE", "/v1/domains/talker", "/v1/domains/{domain}")
        self.assertEqual(stream.recv(4096), b"")
        stream.close()

    def test_daemon(self):
        daemon = self.call("GET", "/v1/daemon")[1]
        self.assertEqual(daemon["pid"], self.daemon.pid)
        self.assertEqual(os.stat(self.socket).st_mode & 0o777, 0o600)
        status, error = self.call("POST", "/v1/daemon/stop", body={"all": 7}, request_schema=False)
        self.assertEqual((status, error["error"]["code"]), (400, "protocol"))

    def test_zz_everything_described_was_seen(self):
        described = {(method, path, min(int(status), 400))
                     for path, operations in spec["paths"].items()
                     for method, operation in operations.items() if method != "parameters"
                     for status in operation["responses"] if status not in ("default", "101")}
        # Ends the daemon; tearDownClass does it.
        described.discard(("post", "/v1/daemon/stop", 204))
        self.assertEqual(described - self.seen, set())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
