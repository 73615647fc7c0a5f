// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/keys.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <set>
#include <string>

#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

const std::set<std::string_view> honoured = {
    "acpi",          "builder",    "cmdline", "extra",       "hap",       "kernel",   "maxmem",
    "maxvcpus",      "memory",     "name",    "on_poweroff", "on_reboot", "on_crash", "on_watchdog",
    "on_soft_reset", "pvh",        "ramdisk", "root",        "type",      "uuid",     "vcpus",
    "cap",           "cpu_weight", "cpus",    "cpus_soft"};

TEST(Keys, ExactlyTheHonouredOnesHaveAHandler) {
  std::set<std::string_view> handled;
  for (const Key& key : keys()) {
    if (key.handler != nullptr) handled.insert(key.name);
  }
  EXPECT_EQ(handled, honoured);
}

TEST(Keys, EveryOtherKnownKeyIsRefusedAsNotSupportedYet) {
  for (const Key& key : keys()) {
    if (key.handler != nullptr) continue;
    const std::string text = fmt::format("name=\"x\"; kernel=\"k\"\n{} = 1\n", key.name);
    const Parsed parsed = parse_domain_config({"f", text});
    ASSERT_EQ(parsed.diagnostics.size(), 1U) << key.name;
    EXPECT_EQ(summary(parsed.diagnostics[0]),
              fmt::format("f:2:1: '{}' is not supported yet", key.name));
  }
}

TEST(Keys, FoundByExactNameOnly) {
  EXPECT_EQ(keys()[*find_key("memory")].name, "memory");
  EXPECT_EQ(keys()[*find_key("acpi")].name, "acpi");
  for (const char* name : {"", "mem", "memoryx", "Memory", "zzz", "!"}) {
    EXPECT_EQ(find_key(name), std::nullopt) << name;
  }
}

TEST(Keys, NearestName) {
  EXPECT_EQ(nearest_key("memroy"), "memory");
  EXPECT_EQ(nearest_key("MEMORY"), "memory");
  EXPECT_EQ(nearest_key("vcpu"), "vcpus");
  EXPECT_EQ(nearest_key("on_power_off"), "on_poweroff");
  EXPECT_EQ(nearest_key("completely_different"), "");
}

}  // namespace
}  // namespace xl::config
