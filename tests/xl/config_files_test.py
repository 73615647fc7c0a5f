#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What xl does with config files of any format: create, config-convert, validate."""
import json
import pathlib
import unittest

import jsonschema

from cli_test import CliTest

TREE = pathlib.Path(__file__).resolve().parents[2]
SARIF_SCHEMA = json.loads((TREE / "tests/xl/sarif_schema.json").read_text())


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

    def check_sarif(self, log):
        """Against the standard's members (sarif_schema.json), and what a schema cannot say."""
        jsonschema.Draft7Validator(SARIF_SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
        (run,) = log["runs"]
        files = [artifact["location"]["uri"] for artifact in run["artifacts"]]
        for result in run["results"]:
            self.assertEqual(run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"], result["ruleId"])
            place = result["locations"][0]["physicalLocation"]
            self.assertIn(place["artifactLocation"]["uri"], files)
            if "region" in place:
                self.assertGreaterEqual(place["region"]["endColumn"], place["region"]["startColumn"])

    def test_sarif_of_every_config_there_is(self):
        """Of each golden config and of the corpus, in every format."""
        configs = sorted(path for path in TREE.glob("tests/config/*/**/*")
                         if path.suffix in (".cfg", ".yaml", ".json", ".xml"))
        self.assertGreater(len(configs), 100)
        self.check_sarif(json.loads(self.xl("validate", "--sarif", "--strict", *map(str, configs)).stdout))

    def test_sarif(self):
        """What SARIF 2.1.0 requires, and what code hosts look at."""
        with open(self.dir + "/a b.yaml", "w") as file:
            file.write("name: x\nkernel: /k\nmemory: é\n")
        with open(self.dir + "/nameless.cfg", "w") as file:
            file.write("kernel='/k'\n")
        done = self.xl("validate", "--sarif", "a b.yaml", "nameless.cfg")
        self.assertEqual(done.returncode, 3)
        log = json.loads(done.stdout)
        self.check_sarif(log)
        self.assertEqual((log["version"], log["$schema"]), ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json"))
        (run,) = log["runs"]
        self.assertEqual([a["location"]["uri"] for a in run["artifacts"]], ["a%20b.yaml", "nameless.cfg"])
        value, missing = [(result["locations"][0]["physicalLocation"]) for result in run["results"]]
        region = value["region"]
        self.assertEqual((value["artifactLocation"]["uri"], region["startLine"], region["startColumn"],
                          region["endColumn"], region["snippet"]["text"]), ("a%20b.yaml", 3, 9, 10, "memory: é"))
        self.assertEqual(run["columnKind"], "unicodeCodePoints")
        self.assertNotIn("region", missing)


if __name__ == "__main__":
    unittest.main(argv=["host_config_test"])
