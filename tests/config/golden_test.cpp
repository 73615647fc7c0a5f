// SPDX-License-Identifier: Apache-2.0
// Golden tests: golden/NAME.cfg, with the overrides in golden/NAME.args (one per line) if there is
// one, gives exactly golden/NAME.expected: the findings as people see them, then the config as
// JSON, then its libxl form. With XL_UPDATE_GOLDEN set the .expected files are written anew: read
// the diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

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
    if (entry.path().extension() == ".cfg") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string outcome(const fs::path& config, const std::vector<std::string>& overrides) {
  const std::string text = read_file(config);
  const std::string name = config.filename();
  const Parsed parsed = parse_domain_config({name, text}, overrides);
  std::string out = render(parsed.diagnostics);
  if (parsed.config) {
    out += to_json(*parsed.config).dump(2) + "\n";
    out += to_libxl_json(*parsed.config, DomId(1)).dump(4) + "\n";
  }
  return out;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, GivesExactlyTheExpectedText) {
  const fs::path base = golden_dir() / GetParam();
  const auto file = [&](const char* extension) { return fs::path(base.string() + extension); };
  const std::string actual = outcome(file(".cfg"), read_lines(file(".args")));
  if (std::getenv("XL_UPDATE_GOLDEN") != nullptr) std::ofstream(file(".expected")) << actual;
  EXPECT_EQ(read_file(file(".expected")), actual);
}

INSTANTIATE_TEST_SUITE_P(Config, Golden, testing::ValuesIn(golden_names()), [](const auto& test) {
  std::string name = test.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
});

TEST(ExampleConfig, IsValidAsItStands) {
  const std::string text = read_file(fs::path(XL_SOURCE_DIR) / "configs/example.cfg");
  const Parsed parsed = parse_domain_config({"example.cfg", text});
  EXPECT_EQ(render(parsed.diagnostics), "");
  EXPECT_TRUE(parsed.config.has_value());
}

}  // namespace
}  // namespace xl::config
