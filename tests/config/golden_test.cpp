// SPDX-License-Identifier: Apache-2.0
// Golden tests: golden/NAME.cfg (or .yaml, .json, .xml), with the overrides in golden/NAME.args
// (one per line) if there is one, and the options of the parse in golden/NAME.options ("strict",
// "dry_run"), gives exactly golden/NAME.expected: the findings as people see
// them, then the config as JSON, then its libxl form. With XL_UPDATE_GOLDEN set the .expected files
// are written anew: read the diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "libxl++/config/devices/devices.hpp"
#include "libxl++/config/formats/convert.hpp"
#include "libxl++/config/host_config.hpp"
#include "libxl++/config/json.hpp"
#include "libxl++/config/keys.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::string> read_lines(const fs::path& path) {
  std::vector<std::string> lines;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

fs::path golden_dir() {
  return fs::path(XL_SOURCE_DIR) / "tests/config/golden";
}

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(golden_dir())) {
    const std::string extension = entry.path().extension();
    if (extension.size() > 1 && parse_format(extension.substr(1))) {
      names.push_back(entry.path().filename());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

ParseOptions options_of(const std::vector<std::string>& lines) {
  const auto has = [&](const char* option) {
    return std::find(lines.begin(), lines.end(), option) != lines.end();
  };
  return {.strict = has("strict"), .dry_run = has("dry_run")};
}

std::string outcome(const fs::path& config, const std::vector<std::string>& overrides,
                    const ParseOptions& options) {
  const std::string text = read_file(config);
  const std::string name = config.filename();
  const Parsed parsed = parse_domain_config({name, text}, overrides, options);
  std::string out = render(parsed.diagnostics);
  if (parsed.config) {
    out += to_json(*parsed.config).dump(2) + "\n";
    out += to_stored_libxl_json(*parsed.config).dump(4) + "\n";
    if (parsed.devices->any()) {
      out += to_libxl_json(*parsed.config, *parsed.devices).dump(4) + "\n";
    }
  }
  return out;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, GivesExactlyTheExpectedText) {
  const fs::path config = golden_dir() / GetParam();
  const auto file = [&](const char* extension) {
    return fs::path(config).replace_extension(extension);
  };
  const std::string actual =
      outcome(config, read_lines(file(".args")), options_of(read_lines(file(".options"))));
  if (std::getenv("XL_UPDATE_GOLDEN") != nullptr) std::ofstream(file(".expected")) << actual;
  EXPECT_EQ(read_file(file(".expected")), actual);
}

INSTANTIATE_TEST_SUITE_P(Config, Golden, testing::ValuesIn(golden_names()), [](const auto& test) {
  std::string name = test.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
});

// golden/convert/NAME.cfg gives exactly golden/convert/NAME.yaml, .json and .xml, and back.
class GoldenConversion : public testing::TestWithParam<Format> {};

TEST_P(GoldenConversion, GivesExactlyTheExpectedText) {
  for (const std::string name : {"small", "all"}) {
    const auto path = [&](Format format) {
      return golden_dir() / "convert" / (name + "." + std::string(to_string(format)));
    };
    const std::string source = read_file(path(Format::cfg));
    const Converted to = convert({"x.cfg", source}, {}, GetParam());
    EXPECT_EQ(render(to.diagnostics), "");
    if (std::getenv("XL_UPDATE_GOLDEN") != nullptr) std::ofstream(path(GetParam())) << *to.text;
    EXPECT_EQ(read_file(path(GetParam())), to.text);
    EXPECT_EQ(convert({"x", *to.text}, GetParam(), Format::cfg).text, source);
  }
}

INSTANTIATE_TEST_SUITE_P(Config, GoldenConversion,
                         testing::Values(Format::cfg, Format::yaml, Format::json, Format::xml));

// The file, or what it has to be from now on.
std::string golden_text(const fs::path& path, const std::string& actual) {
  if (std::getenv("XL_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << actual;
  return read_file(path);
}

std::vector<fs::path> files_in(const char* folder, const char* extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(golden_dir() / folder)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  EXPECT_FALSE(files.empty());
  return files;
}

// golden/host/NAME.conf, as xl.conf, gives exactly golden/host/NAME.expected.
TEST(GoldenHostConfig, GivesExactlyTheExpectedText) {
  for (const fs::path& file : files_in("host", ".conf")) {
    const std::string text = read_file(file);
    const std::string name = file.filename();
    const ParsedHostConfig parsed = parse_host_config({name, text});
    const std::string actual =
        render(parsed.diagnostics) + (parsed.config ? "it is read\n" : "it is refused\n");
    EXPECT_EQ(golden_text(fs::path(file).replace_extension(".expected"), actual), actual);
  }
}

// golden/convert-wrong/NAME.cfg, which XML cannot carry, gives exactly NAME.expected.
TEST(GoldenConversionToXml, IsRefusedWithExactlyTheExpectedText) {
  for (const fs::path& file : files_in("convert-wrong", ".cfg")) {
    const std::string text = read_file(file);
    const std::string name = file.filename();
    const Converted to = convert({name, text}, {}, Format::xml);
    EXPECT_FALSE(to.text) << file;
    const std::string actual = render(to.diagnostics);
    EXPECT_EQ(golden_text(fs::path(file).replace_extension(".expected"), actual), actual);
  }
}

// golden/each-key.expected: what is said of each key of the table with a value of each kind, so
// that none can come without its texts.
TEST(GoldenKeys, GiveExactlyTheExpectedText) {
  std::string actual;
  for (const Key& key : keys()) {
    const std::string name(key.name);
    for (const char* const value : {"1", "\"text\"", "[ \"text\" ]"}) {
      std::string text = name + " = " + value + "\n";
      for (const char* const needed : {"name", "kernel"}) {
        if (name != needed) text += std::string(needed) + " = \"x\"\n";
      }
      actual += name + " = " + value + "\n";
      for (const Diagnostic& found : parse_domain_config({"x.cfg", text}).diagnostics) {
        actual += "  " + std::string(to_string(found.severity)) + " (" +
                  std::string(to_string(found.rule)) + "): " + found.message + "\n";
        if (!found.hint.empty()) actual += "    hint: " + found.hint + "\n";
      }
    }
  }
  EXPECT_EQ(golden_text(golden_dir() / "each-key.expected", actual), actual);
}

// golden/too-large.expected: what has a bound.
TEST(GoldenSizes, GiveExactlyTheExpectedText) {
  const auto many = [](std::size_t count, std::string_view piece) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += piece;
    return text;
  };
  std::string actual;
  for (const auto& [name, text] : {std::pair<std::string, std::string>{"x.cfg", many(1 << 21, "#")},
                                   {"x.yaml", many(1 << 20, "#")},
                                   {"x.xml", "<domain>" + many(40'000, "<a/>") + "</domain>"}}) {
    actual += render(parse_domain_config({name, text}).diagnostics);
  }
  EXPECT_EQ(golden_text(golden_dir() / "too-large.expected", actual), actual);
}

TEST(ExampleConfig, IsValidAsItStands) {
  const std::string text = read_file(fs::path(XL_SOURCE_DIR) / "configs/example.cfg");
  const Parsed parsed = parse_domain_config({"example.cfg", text});
  EXPECT_EQ(render(parsed.diagnostics), "");
  EXPECT_TRUE(parsed.config.has_value());
}

}  // namespace
}  // namespace xl::config
