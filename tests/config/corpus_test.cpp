// SPDX-License-Identifier: Apache-2.0
// Configs as people have them: those of corpus/valid give a domain (in a dry run: some have
// devices), which survives JSON and all formats; those of corpus/invalid give none, and as many
// errors in one run as their first line says, each with its place.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "libxl++/config/devices/devices.hpp"
#include "libxl++/config/formats/convert.hpp"
#include "libxl++/config/json.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

namespace fs = std::filesystem;

struct File {
  std::string name;
  std::string text;
};

std::vector<File> corpus(const char* folder) {
  std::vector<File> files;
  for (const auto& entry :
       fs::directory_iterator(fs::path(XL_SOURCE_DIR) / "tests/config/corpus" / folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    files.push_back({entry.path().filename(), text.str()});
  }
  EXPECT_GT(files.size(), 9U);
  return files;
}

Parsed dry_run(std::string_view name, std::string_view text) {
  return parse_domain_config({name, text}, {}, {.strict = true, .dry_run = true});
}

TEST(Corpus, WhatIsValidGivesADomain) {
  for (const File& file : corpus("valid")) {
    const Parsed parsed = dry_run(file.name, file.text);
    ASSERT_TRUE(parsed.config) << render(parsed.diagnostics);
    const auto back = domain_config_from_json(to_json(*parsed.config));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, *parsed.config) << file.name;
  }
}

TEST(Corpus, CreateRefusesItForItsDevicesOnly) {
  for (const File& file : corpus("valid")) {
    const Parsed parsed = dry_run(file.name, file.text);
    const bool devices = parsed.devices && parsed.devices->any();
    EXPECT_EQ(parse_domain_config({file.name, file.text}).config.has_value(), !devices)
        << file.name;
  }
}

TEST(Corpus, EachFormatSaysTheSame) {
  for (const File& file : corpus("valid")) {
    const Parsed parsed = dry_run(file.name, file.text);
    for (const Format format : {Format::cfg, Format::yaml, Format::json}) {
      const Converted converted = convert({file.name, file.text}, Format::cfg, format);
      ASSERT_TRUE(converted.text) << file.name << "\n" << render(converted.diagnostics);
      const std::string name = "x." + std::string(to_string(format));
      const Parsed again = dry_run(name, *converted.text);
      ASSERT_TRUE(again.config) << *converted.text << render(again.diagnostics);
      EXPECT_EQ(*again.config, *parsed.config) << *converted.text;
      EXPECT_EQ(*again.devices, *parsed.devices) << *converted.text;
    }
  }
}

TEST(Corpus, WhatIsInvalidGivesAllOfItsErrorsAtOnce) {
  for (const File& file : corpus("invalid")) {
    const Parsed parsed = dry_run(file.name, file.text);
    EXPECT_FALSE(parsed.config) << file.name;
    const auto errors = std::count_if(
        parsed.diagnostics.begin(), parsed.diagnostics.end(),
        [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::error; });
    EXPECT_EQ(errors, std::stoi(file.text.substr(2))) << render(parsed.diagnostics);
    for (const Diagnostic& diagnostic : parsed.diagnostics) {
      const bool missing = diagnostic.message.ends_with("is missing");
      EXPECT_EQ(diagnostic.location.file, file.name);
      EXPECT_EQ(diagnostic.location.line == 0, missing) << render(diagnostic);
    }
  }
}

}  // namespace
}  // namespace xl::config
