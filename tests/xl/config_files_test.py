#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What xl does with config files of any format: create, config-convert, validate."""
import json
import unittest

from cli_test import CliTest


class ConfigFilesTest(CliTest):
    def test_formats(self):
        """A config goes through all formats and makes the same domain; overrides stand on top."""
        name = "guest.cfg"
        for form in "yaml", "json", "xml", "cfg":
            text = self.ok("config-convert", "--to=" + form, name)
            name = "converted." + form
            with open(f"{self.dir}/{name}", "w") as file:
                file.write(text)
            self.ok("create", name, "name=from-" + form)
            self.assertRegex(self.ok("list", "from-" + form), r"\nfrom-\w+ +\d+ +8 +1 ")
        self.assertEqual(text, 'name = "guest"\nkernel = "kernel"\nmemory = 8\n')
        self.assertIn("--to=FORMAT is missing", self.refused(2, "config-convert", name))
        self.assertIn("'toml' is not a format", self.refused(1, "config-convert", "--to", "toml", name))

    def test_validate(self):
        self.assertEqual(self.ok("validate", "guest.cfg", "guest.cfg"), "")
        with open(self.dir + "/a b.yaml", "w") as file:
            file.write("name: x\nkernel: /k\nmemory: [1]\nvcpus: é\n")
        with open(self.dir + "/unknown.cfg", "w") as file:
            file.write("name='x'\nkernel='/k'\nvcpu=4\n")
        done = self.xl("validate", "guest.cfg", "a b.yaml")
        self.assertEqual((done.returncode, done.stderr), (3, ""))
        self.assertIn("a b.yaml:3:9: error: ", done.stdout)
        self.assertIn("a b.yaml:4:8: error: ", done.stdout)
        done = self.xl("validate", "--json", "a b.yaml")
        self.assertEqual((done.returncode, [d["line"] for d in json.loads(done.stdout)]), (3, [3, 4]))
        self.assertIn("warning", self.ok("validate", "unknown.cfg"))
        self.assertEqual(self.xl("validate", "--strict", "unknown.cfg").returncode, 3)
        self.assertIn("none.cfg", self.refused(4, "validate", "none.cfg"))
        self.assertIn("contradict", self.refused(2, "validate", "--json", "--sarif", "guest.cfg"))

    def test_sarif(self):
        """What SARIF 2.1.0 requires, and what code hosts look at."""
        with open(self.dir + "/a b.yaml", "w") as file:
            file.write("name: x\nkernel: /k\nmemory: é\n")
        with open(self.dir + "/nameless.cfg", "w") as file:
            file.write("kernel='/k'\n")
        done = self.xl("validate", "--sarif", "a b.yaml", "nameless.cfg")
        self.assertEqual(done.returncode, 3)
        log = json.loads(done.stdout)
        self.assertEqual((log["version"], log["$schema"]), ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json"))
        (run,) = log["runs"]
        driver = run["tool"]["driver"]
        self.assertTrue(driver["name"] and driver["version"])
        for rule in driver["rules"]:
            self.assertTrue(rule["id"] and rule["shortDescription"]["text"])
        self.assertEqual([a["location"]["uri"] for a in run["artifacts"]], ["a%20b.yaml", "nameless.cfg"])
        for result in run["results"]:
            self.assertEqual(driver["rules"][result["ruleIndex"]]["id"], result["ruleId"])
            self.assertIn(result["level"], ("error", "warning", "note", "none"))
            self.assertTrue(result["message"]["text"])
        value, missing = [(result["locations"][0]["physicalLocation"]) for result in run["results"]]
        region = value["region"]
        self.assertEqual((value["artifactLocation"]["uri"], region["startLine"], region["startColumn"],
                          region["endColumn"], region["snippet"]["text"]), ("a%20b.yaml", 3, 9, 10, "memory: é"))
        self.assertEqual(run["columnKind"], "unicodeCodePoints")
        self.assertNotIn("region", missing)


if __name__ == "__main__":
    unittest.main(argv=["host_config_test"])
