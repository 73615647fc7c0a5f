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
#include "libxl++/config/json.hpp"
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
    out += to_libxl_json(*parsed.config, DomId(1)).dump(4) + "\n";
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

TEST(ExampleConfig, IsValidAsItStands) {
  const std::string text = read_file(fs::path(XL_SOURCE_DIR) / "configs/example.cfg");
  const Parsed parsed = parse_domain_config({"example.cfg", text});
  EXPECT_EQ(render(parsed.diagnostics), "");
  EXPECT_TRUE(parsed.config.has_value());
}

}  // namespace
}  // namespace xl::config
