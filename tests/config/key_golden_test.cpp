// SPDX-License-Identifier: Apache-2.0
// Each key by itself, to the exact text of the answer: each line of golden/keys/valid.cfg and
// wrong.cfg is a config (with a name and a kernel), read in a dry run. NAME.expected has the line,
// what is found, and what the line changes in libxl's JSON of the domain. A key without a line in
// both files fails. With XL_UPDATE_GOLDEN set the .expected files are written anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "libxl++/config/devices/devices.hpp"
#include "libxl++/config/json.hpp"
#include "libxl++/config/keys.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

const fs::path golden_dir = fs::path(XL_SOURCE_DIR) / "tests/config/golden/keys";

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Line {
  std::string key;
  std::string text;
};

std::vector<Line> read_lines(const std::string& name) {
  std::vector<Line> lines;
  std::ifstream in(golden_dir / name);
  for (std::string text; std::getline(in, text);) {
    if (!text.empty() && text.front() != '#')
      lines.push_back({text.substr(0, text.find(' ')), text});
  }
  return lines;
}

Parsed parse(const Line& line) {
  std::string text = line.text + "\n";
  if (line.key != "name") text += "name = \"x\"\n";
  if (line.key != "kernel") text += "kernel = \"/k\"\n";
  return parse_domain_config({"key.cfg", text}, {}, {.dry_run = true});
}

Json libxl_form(const Parsed& parsed) {
  return Json::parse(to_libxl_json(*parsed.config, *parsed.devices).dump());
}

// Of two trees: the members that only one of them has, or that differ.
std::string changes(const Json& plain, const Json& json) {
  std::string text;
  for (const Json& change : Json::diff(plain, json)) {
    const std::string value = change.contains("value") ? change["value"].dump() : "nothing";
    text += "  " + change["path"].get<std::string>() + ": " + value + "\n";
  }
  return text;
}

std::string answers(const std::string& name) {
  const Json plain = libxl_form(parse({"", ""}));
  std::string out;
  for (const Line& line : read_lines(name)) {
    const Parsed parsed = parse(line);
    out += line.text + "\n" + render(parsed.diagnostics);
    if (parsed.config) out += changes(plain, libxl_form(parsed));
    out += "\n";
  }
  return out;
}

class KeyGolden : public testing::TestWithParam<const char*> {};

TEST_P(KeyGolden, GivesExactlyTheExpectedText) {
  const fs::path expected = golden_dir / (std::string(GetParam()) + ".expected");
  const std::string actual = answers(std::string(GetParam()) + ".cfg");
  if (std::getenv("XL_UPDATE_GOLDEN") != nullptr) std::ofstream(expected) << actual;
  EXPECT_EQ(read_file(expected), actual);
}

INSTANTIATE_TEST_SUITE_P(Config, KeyGolden, testing::Values("valid", "wrong"));

TEST(KeyGolden, EveryKeyHasAValidAndAWrongValue) {
  for (const char* const name : {"valid.cfg", "wrong.cfg"}) {
    const std::vector<Line> lines = read_lines(name);
    for (const Key& key : keys()) {
      EXPECT_TRUE(std::any_of(lines.begin(), lines.end(),
                              [&](const Line& line) { return line.key == key.name; }))
          << key.name << " is not in " << name;
    }
  }
}

bool has(const Parsed& parsed, Severity severity) {
  return std::any_of(parsed.diagnostics.begin(), parsed.diagnostics.end(),
                     [&](const Diagnostic& one) { return one.severity == severity; });
}

TEST(KeyGolden, TheAnswerIsThatOfTheTable) {
  for (const Line& line : read_lines("valid.cfg")) {
    const Key& key = keys()[*find_key(line.key)];
    const Parsed parsed = parse(line);
    const bool refused = key.fate == Key::Fate::refused;
    EXPECT_EQ(has(parsed, Severity::error), refused) << line.text;
    const bool warned = key.fate == Key::Fate::accepted || key.fate == Key::Fate::device;
    EXPECT_EQ(has(parsed, Severity::warning), warned) << line.text;
  }
}

TEST(KeyGolden, WhatIsWrongIsOneErrorAtItsPlace) {
  for (const Line& line : read_lines("wrong.cfg")) {
    const Parsed parsed = parse(line);
    EXPECT_TRUE(has(parsed, Severity::error)) << line.text;
    for (const Diagnostic& one : parsed.diagnostics) EXPECT_EQ(one.location.line, 1U) << line.text;
  }
}

}  // namespace
}  // namespace xl::config
