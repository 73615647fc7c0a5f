// SPDX-License-Identifier: Apache-2.0
// `xl -N create` against stock xl: golden/stock/NAME.cfg, read here, gives golden/stock/NAME.json,
// which Xen 4.17's own xl printed for it (stock_xl_test.py runs that one). All members, in their
// order, with all values are the same: of every key that is honoured and of every kind of device.
//
// Not compared, as they differ on purpose: a config without memory, vcpus or uuid (stock xl leaves
// out what libxl fills in when it creates the domain; here the domain is shown as it would be),
// cpus="all" (stock xl shows the CPUs of the machine that it runs on), and a usbdev without type
// (stock xl prints {} for it).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "libxl++/config/devices/devices.hpp"
#include "libxl++/config/json.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

namespace fs = std::filesystem;

const fs::path stock_dir = fs::path(XL_SOURCE_DIR) / "tests/config/golden/stock";

std::vector<std::string> stock_configs() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(stock_dir)) {
    if (entry.path().extension() == ".cfg") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Stock : public testing::TestWithParam<std::string> {};

TEST_P(Stock, PrintsTheSame) {
  const std::string text = read_file(stock_dir / (GetParam() + ".cfg"));
  const Parsed parsed = parse_domain_config({"stock.cfg", text}, {}, {.dry_run = true});
  ASSERT_TRUE(parsed.config) << render(parsed.diagnostics);
  const auto theirs =
      nlohmann::ordered_json::parse(read_file(stock_dir / (GetParam() + ".json")), nullptr, false);
  EXPECT_EQ(theirs.dump(4), to_libxl_json(*parsed.config, *parsed.devices).dump(4));
}

INSTANTIATE_TEST_SUITE_P(Configs, Stock, testing::ValuesIn(stock_configs()), [](const auto& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace xl::config
