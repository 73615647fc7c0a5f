// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/host_config.hpp"

#include <gtest/gtest.h>

namespace xl::config {
namespace {

ParsedHostConfig parse(std::string_view text) {
  return parse_host_config({"xl.conf", text});
}

std::string rendered(std::string_view text) {
  return render(parse(text).diagnostics);
}

TEST(HostConfig, WithoutKeysChangesNothing) {
  const ParsedHostConfig parsed = parse("# all as it is\n#autoballoon=\"auto\"\n\n");
  ASSERT_TRUE(parsed.config);
  EXPECT_TRUE(parsed.diagnostics.empty());
  DomainConfig domain;
  ASSERT_TRUE(restrict_cpus(*parsed.config, domain));
  EXPECT_EQ(domain, DomainConfig());
}

TEST(HostConfig, MasksLeaveTheCpusThatAreInAllOfThem) {
  const ParsedHostConfig parsed = parse("vm.cpumask=\"0-3\"\nvm.hvm.cpumask='2-7'\n");
  ASSERT_TRUE(parsed.config);
  EXPECT_EQ(format_cpu_list(parsed.config->cpu_mask), "2-3");
  DomainConfig domain;
  domain.max_vcpus = 2;
  domain.scheduling.cpus = {*parse_cpu_list("3-9")};
  ASSERT_TRUE(restrict_cpus(*parsed.config, domain));
  ASSERT_EQ(domain.scheduling.cpus.size(), 2u);
  EXPECT_EQ(format_cpu_list(domain.scheduling.cpus[0]), "3");
  EXPECT_EQ(format_cpu_list(domain.scheduling.cpus[1]), "2-3");
}

TEST(HostConfig, AMaskThatLeavesNothingIsAnError) {
  const ParsedHostConfig parsed = parse("vm.cpumask=\"0-3\"\n");
  DomainConfig domain;
  domain.scheduling.cpus = {*parse_cpu_list("8")};
  const Result<void> applied = restrict_cpus(*parsed.config, domain);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, ErrorCode::invalid_config);
  EXPECT_EQ(applied.error().message, "of the CPUs 8 the mask 0-3 leaves none");
}

TEST(HostConfig, ValuesThatAskForWhatHappensAnywayAreSilent) {
  EXPECT_EQ(
      rendered("autoballoon=\"off\"\nclaim_mode=1\ndomid_policy='xen'\noutput_format='json'\n"),
      "");
}

TEST(HostConfig, KeysWithoutEffectSayWhy) {
  EXPECT_EQ(rendered("output_format=\"sxp\"\n"),
            "xl.conf:1:1: warning: 'output_format' has no effect: output for machines is JSON\n"
            "    output_format=\"sxp\"\n"
            "    ^~~~~~~~~~~~~\n");
  for (const char* key : {"lockfile=\"/x\"", "vif.default.bridge='b'", "max_grant_frames=64",
                          "vm.pv.cpumask='0'", "autoballoon='on'", "domid_policy=\"random\"",
                          "claim_mode=0", "run_hotplug_scripts=1", "blkdev_start=\"xvdb\""}) {
    const ParsedHostConfig parsed = parse(key);
    EXPECT_TRUE(parsed.config) << key;
    ASSERT_EQ(parsed.diagnostics.size(), 1u) << key;
    EXPECT_EQ(parsed.diagnostics[0].severity, Severity::warning);
    EXPECT_NE(parsed.diagnostics[0].message.find("' has no effect: "), std::string::npos);
  }
}

TEST(HostConfig, UnknownKeysAreWarnedAboutWithTheNearest) {
  EXPECT_EQ(rendered("vm.cpumsk='1'\n"),
            "xl.conf:1:1: warning: 'vm.cpumsk' is not a key of xl.conf and has no effect\n"
            "    vm.cpumsk='1'\n"
            "    ^~~~~~~~~\n"
            "  hint: did you mean 'vm.cpumask'?\n");
}

TEST(HostConfig, WrongValuesAreErrors) {
  for (const char* text : {"vm.cpumask='x'", "vm.cpumask=[1]", "claim_mode='yes'", "lockfile=[",
                           "vm.pv.cpumask='-'", "max_grant_frames=-1", "= 3"}) {
    EXPECT_FALSE(parse(text).config) << text;
  }
  EXPECT_TRUE(parse("vm.cpumask='x'\nvm.cpumask='1'").config);  // the later one holds
}

}  // namespace
}  // namespace xl::config
