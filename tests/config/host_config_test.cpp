// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/host_config.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "libxl++/config/host_defaults.hpp"
#include "libxl++/config/json.hpp"

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
  for (const char* key : {"lockfile=\"/x\"", "colo.default.proxyscript='b'", "vm.pv.cpumask='0'",
                          "autoballoon='on'", "domid_policy=\"random\""}) {
    const ParsedHostConfig parsed = parse(key);
    EXPECT_TRUE(parsed.config) << key;
    ASSERT_EQ(parsed.diagnostics.size(), 1u) << key;
    EXPECT_EQ(parsed.diagnostics[0].severity, Severity::warning);
    EXPECT_NE(parsed.diagnostics[0].message.find("' has no effect: "), std::string::npos);
  }
}

TEST(HostConfig, DefaultsAreThoseOfWhatSaysNothing) {
  const ParsedHostConfig parsed = parse(
      "vif.default.script='s'\nvif.default.bridge=\"b\"\nvif.default.gatewaydev='g'\n"
      "vif.default.backend='d'\nrun_hotplug_scripts=0\n");
  ASSERT_TRUE(parsed.config);
  EXPECT_EQ(render(parsed.diagnostics), "");
  Devices devices;
  devices.vifs.resize(2);
  devices.vifs[0].bridge = "mine";
  fill_in(*parsed.config, devices);
  EXPECT_EQ(devices.vifs[0].bridge, "mine");
  EXPECT_EQ(devices.vifs[0].script, "s");
  EXPECT_EQ(devices.vifs[1].bridge, "b");
  EXPECT_EQ(devices.vifs[1].gateway_device, "g");
  EXPECT_EQ(devices.vifs[1].backend, "d");
  EXPECT_FALSE(parsed.config->run_hotplug_scripts);
}

TEST(HostConfig, OldNamesCountUnlessTheNewOneIsThere) {
  const ParsedHostConfig old = parse("vifscript='old'\ndefaultbridge='old'\n");
  ASSERT_TRUE(old.config);
  EXPECT_EQ(old.config->vif, (VifDefaults{"old", "old", "", ""}));
  EXPECT_EQ(old.diagnostics.size(), 2u);
  const ParsedHostConfig both = parse("vif.default.script='new'\nvifscript='old'\n");
  ASSERT_TRUE(both.config);
  EXPECT_EQ(both.config->vif.script, "new");
  EXPECT_EQ(render(both.diagnostics),
            "xl.conf:2:1: warning: 'vifscript' is the old name of vif.default.script\n"
            "    vifscript='old'\n"
            "    ^~~~~~~~~\n");
}

TEST(HostConfig, DryRunsShowWhatLibxlWouldBeTold) {
  const ParsedHostConfig parsed = parse(
      "max_grant_frames=64\nmax_maptrack_frames=0x80\nmax_grant_version=1\nblkdev_start='xvdb'\n"
      "claim_mode=0\n");
  ASSERT_TRUE(parsed.config);
  ASSERT_EQ(parsed.diagnostics.size(), 5u);
  for (const Diagnostic& each : parsed.diagnostics) {
    EXPECT_NE(each.message.find("' is shown by `xl -N create` alone: "), std::string::npos);
  }
  nlohmann::ordered_json libxl = to_libxl_json(DomainConfig(), Devices());
  libxl["b_info"]["max_grant_version"] = 2;  // the domain's own
  fill_in(*parsed.config, libxl);
  const std::string text = libxl["b_info"].dump();
  // In the order of libxl's IDL.
  EXPECT_NE(text.find(R"("blkdev_start":"xvdb","max_grant_frames":64,"max_maptrack_frames":128,)"
                      R"("sched_params":)"),
            std::string::npos)
      << text;
  EXPECT_EQ(libxl["b_info"]["max_grant_version"], 2);
  EXPECT_EQ(libxl["b_info"]["claim_mode"], "False");
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
