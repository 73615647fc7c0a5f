// SPDX-License-Identifier: Apache-2.0
// cpus=, cpus_soft=, cpu_weight=, cap= in a config file.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include "libxl++/config/json.hpp"

#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

Parsed parse(const std::string& text) {
  return parse_domain_config({"f", "name=\"x\"; kernel=\"k\"\n" + text + "\n"});
}

Scheduling scheduling(const std::string& text) {
  const Parsed parsed = parse(text);
  EXPECT_TRUE(parsed.config) << text << ": " << render(parsed.diagnostics);
  EXPECT_TRUE(parsed.diagnostics.empty()) << render(parsed.diagnostics);
  return parsed.config ? parsed.config->scheduling : Scheduling();
}

std::string refusal(const std::string& text) {
  const Parsed parsed = parse(text);
  EXPECT_FALSE(parsed.config) << text;
  return parsed.diagnostics.empty() ? "" : parsed.diagnostics[0].message;
}

TEST(SchedulingKeys, AStringIsForAllVcpusThatThereMayBe) {
  const Scheduling found = scheduling("vcpus=2; maxvcpus=3; cpus=\"0-3,^1\"; cpus_soft=\"2\"");
  EXPECT_EQ(found.cpus, std::vector<CpuSet>(3, CpuSet(0b1101)));
  EXPECT_EQ(found.cpus_soft, std::vector<CpuSet>(3, CpuSet(0b100)));
}

TEST(SchedulingKeys, AListIsForOneVcpuEach) {
  const Scheduling found = scheduling("cpus=[\"1\", 0]; vcpus=3");
  EXPECT_EQ(found.cpus, (std::vector<CpuSet>{CpuSet(2), CpuSet(1)}));
  EXPECT_TRUE(found.cpus_soft.empty());
}

TEST(SchedulingKeys, ANumberIsACpu) {
  EXPECT_EQ(scheduling("cpus=3").cpus, std::vector<CpuSet>{CpuSet(8)});
}

TEST(SchedulingKeys, WeightAndCap) {
  const Scheduling found = scheduling("cpu_weight=512; cap=150");
  EXPECT_EQ(found.weight, 512U);
  EXPECT_EQ(found.cap, 150U);
  EXPECT_EQ(scheduling("").weight, 256U);
}

TEST(SchedulingKeys, ALongerListThanVcpusIsRefused) {
  EXPECT_EQ(refusal("cpus=[\"0\",\"1\"]"), "'cpus' has 2 entries, and the domain 1 vcpu at most");
  EXPECT_EQ(refusal("vcpus=2; cpus_soft=[0,0,0]"),
            "'cpus_soft' has 3 entries, and the domain 2 vcpus at most");
}

TEST(SchedulingKeys, RefusalsNameTheValue) {
  EXPECT_EQ(refusal("cpus=\"0-\""), "'cpus': '0-' is not a number, a range or 'all'");
  EXPECT_EQ(refusal("cpus=[\"0\",\"4-2\"]"), "'cpus': '4-2' ends before it begins");
  EXPECT_EQ(refusal("cpus=[[\"0\"]]"), "'cpus' takes strings, not lists in a list");
  EXPECT_EQ(refusal("cpus_soft=\"^1\""), "'cpus_soft': '^1' leaves no CPU");
  EXPECT_EQ(refusal("cpu_weight=0"), "'cpu_weight' must be from 1 to 65535, not 0");
  EXPECT_EQ(refusal("cap=65536"), "'cap' must be from 0 to 65535, not 65536");
}

TEST(SchedulingKeys, LibxlsJsonHasWeightAndCap) {
  const Parsed parsed = parse("cpu_weight=512; cap=50");
  ASSERT_TRUE(parsed.config);
  const std::string text = to_stored_libxl_json(*parsed.config).dump();
  EXPECT_NE(text.find(R"("sched_params":{"weight":512,"cap":50})"), std::string::npos) << text;
}

}  // namespace
}  // namespace xl::config
