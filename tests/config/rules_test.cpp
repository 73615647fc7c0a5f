// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>

#include "base/error.hpp"
#include "libxl++/config/domain_config.hpp"

namespace xl::config {
namespace {

DomainConfig good() {
  DomainConfig config;
  config.name = "guest";
  config.kernel = "/boot/vmlinuz";
  return config;
}

TEST(DomainName, GoodOnes) {
  for (const char* name :
       {"a", "web-1", "1a", "a.b_c", "My Guest", "Domain-1", "caf\xc3\xa9", "..."}) {
    EXPECT_TRUE(check_domain_name(name)) << name;
  }
  EXPECT_TRUE(check_domain_name(std::string(max_name_length, 'x')));
}

TEST(DomainName, BadOnes) {
  for (const char* name : {"", "0", "12345", "a/b", "/", ".", "..", "-c", " a", "a ", "a\nb",
                           "a\tb", "Domain-0", "\xff", "a\x7f"}) {
    const Result<void> verdict = check_domain_name(name);
    ASSERT_FALSE(verdict) << name;
    EXPECT_EQ(verdict.error().code, ErrorCode::invalid_config);
    EXPECT_EQ(verdict.error().message.find('\n'), std::string::npos);
  }
  EXPECT_FALSE(check_domain_name(std::string(max_name_length + 1, 'x')));
  EXPECT_FALSE(check_domain_name(std::string_view("a\0b", 3)));
}

struct BadField {
  const char* field;
  std::function<void(DomainConfig&)> spoil;
};

TEST(Validate, TakesGoodAndBounds) {
  DomainConfig config = good();
  EXPECT_TRUE(validate(config));
  config.memory = min_memory;
  config.max_memory = max_memory_limit;
  config.max_vcpus = max_vcpu_count;
  config.command_line.assign(max_command_line_length, 'x');
  config.kernel.assign(max_path_length, 'x');
  config.ramdisk.assign(max_path_length, 'x');
  EXPECT_TRUE(validate(config));
}

TEST(Validate, NamesTheFieldThatIsWrong) {
  const BadField fields[] = {
      {"name", [](DomainConfig& c) { c.name = ""; }},
      {"uuid", [](DomainConfig& c) { c.uuid = Uuid(); }},
      {"kernel", [](DomainConfig& c) { c.kernel = ""; }},
      {"kernel", [](DomainConfig& c) { c.kernel.assign(max_path_length + 1, 'x'); }},
      {"kernel", [](DomainConfig& c) { c.kernel = std::string("a\0b", 3); }},
      {"ramdisk", [](DomainConfig& c) { c.ramdisk = "\xff"; }},
      {"command_line",
       [](DomainConfig& c) { c.command_line.assign(max_command_line_length + 1, 'x'); }},
      {"memory", [](DomainConfig& c) { c.memory = kib(1023); }},
      {"memory", [](DomainConfig& c) { c.memory = Bytes(mib(2).count() + 1); }},
      {"max_memory", [](DomainConfig& c) { c.max_memory = max_memory_limit + kib(1); }},
      {"max_memory", [](DomainConfig& c) { c.max_memory = mib(31); }},
      {"vcpus", [](DomainConfig& c) { c.vcpus = 0; }},
      {"vcpus", [](DomainConfig& c) { c.vcpus = max_vcpu_count + 1; }},
      {"max_vcpus", [](DomainConfig& c) { c.max_vcpus = 0; }},
      {"max_vcpus", [](DomainConfig& c) { c.vcpus = 2; }},
      {"cpu_weight", [](DomainConfig& c) { c.scheduling.weight = 0; }},
      {"cpu_weight", [](DomainConfig& c) { c.scheduling.weight = 65536; }},
      {"cap", [](DomainConfig& c) { c.scheduling.cap = 65536; }},
      {"cpus", [](DomainConfig& c) { c.scheduling.cpus = {CpuSet()}; }},
      {"cpus", [](DomainConfig& c) { c.scheduling.cpus_soft.resize(2, CpuSet(1)); }},
  };
  for (const BadField& bad : fields) {
    DomainConfig config = good();
    bad.spoil(config);
    const Result<void> verdict = validate(config);
    ASSERT_FALSE(verdict) << bad.field;
    EXPECT_TRUE(verdict.error().message.starts_with(std::string(bad.field) + ": "))
        << verdict.error().message;
  }
}

TEST(ShutdownAction, NamesMatchExactly) {
  EXPECT_EQ(parse_shutdown_action("destroy"), ShutdownAction::destroy);
  EXPECT_EQ(parse_shutdown_action("preserve"), ShutdownAction::preserve);
  EXPECT_EQ(parse_shutdown_action("restart"), ShutdownAction::restart);
  EXPECT_EQ(parse_shutdown_action("rename-restart"), ShutdownAction::restart_rename);
  EXPECT_EQ(parse_shutdown_action("coredump-destroy"), ShutdownAction::coredump_destroy);
  EXPECT_EQ(parse_shutdown_action("coredump-restart"), ShutdownAction::coredump_restart);
  EXPECT_EQ(parse_shutdown_action("soft-reset"), ShutdownAction::soft_reset);
  for (const char* text : {"", "d", "Destroy", "destroy ", "restart-rename", "soft_reset"}) {
    EXPECT_EQ(parse_shutdown_action(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace xl::config
