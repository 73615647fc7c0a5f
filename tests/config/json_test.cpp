// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "libxl++/config/parse.hpp"

namespace xl::config {
namespace {

using Json = nlohmann::json;

DomainConfig unusual() {
  DomainConfig config;
  config.name = "caf\xc3\xa9";
  config.uuid = *Uuid::parse("c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5f");
  config.kernel = "/k";
  config.ramdisk = "/r";
  config.command_line = "a \"b\"\t\n";
  config.memory = kib(1025);
  config.max_memory = max_memory_limit;
  config.vcpus = 3;
  config.max_vcpus = 64;
  config.on_poweroff = ShutdownAction::restart;
  config.on_reboot = ShutdownAction::preserve;
  config.on_crash = ShutdownAction::preserve;
  config.acpi = false;
  config.scheduling = {512, 150, {CpuSet(5), CpuSet().set()}, {CpuSet(2)}};
  return config;
}

TEST(ConfigJson, RoundTripThroughText) {
  const DomainConfig config = unusual();
  const auto back = domain_config_from_json(Json::parse(to_json(config).dump()));
  ASSERT_TRUE(back) << describe(back.error());
  EXPECT_EQ(*back, config);
}

TEST(ConfigJson, AbsentMembersAreDefaults) {
  const auto config = domain_config_from_json({{"name", "x"}, {"kernel", "k"}});
  ASSERT_TRUE(config);
  DomainConfig expected;
  expected.name = "x";
  expected.kernel = "k";
  EXPECT_EQ(*config, expected);
}

TEST(ConfigJson, MaximaFollowWhatTheyBound) {
  const auto config = domain_config_from_json(
      {{"name", "x"}, {"kernel", "k"}, {"memory_kib", 65536}, {"vcpus", 4}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->max_memory, mib(64));
  EXPECT_EQ(config->max_vcpus, 4U);
}

TEST(ConfigJson, RefusesWrongMembersByName) {
  const std::pair<const char*, Json> bad[] = {{"name", 5},
                                              {"name", "a/b"},
                                              {"uuid", "x"},
                                              {"uuid", nullptr},
                                              {"kernel", Json()},
                                              {"ramdisk", true},
                                              {"command_line", {{}}},
                                              {"memory_kib", "1"},
                                              {"memory_kib", -1},
                                              {"memory_kib", 1.5},
                                              {"memory_kib", 5},
                                              {"max_memory_kib", 1024},
                                              {"vcpus", 0},
                                              {"vcpus", 4294967296},
                                              {"max_vcpus", -1},
                                              {"max_vcpus", 65},
                                              {"on_crash", "stop"},
                                              {"on_reboot", 1},
                                              {"acpi", 1},
                                              {"on_poweroff", ""},
                                              {"colour", "red"},
                                              {"memory_kib", 1ULL << 63}};
  for (const auto& [member, value] : bad) {
    Json json = to_json(unusual());
    json[member] = value;
    const auto config = domain_config_from_json(json);
    ASSERT_FALSE(config) << json;
    EXPECT_EQ(config.error().code, ErrorCode::invalid_config);
    // validate() speaks of the field, whose member has the unit behind its name.
    const std::string field = std::string(member).substr(0, std::string(member).find("_kib"));
    EXPECT_NE(config.error().message.find(field), std::string::npos) << config.error().message;
  }
}

TEST(ConfigJson, RefusesOtherThanObjects) {
  for (const Json& json : {Json(), Json(5), Json("x"), Json::array({1})}) {
    EXPECT_FALSE(domain_config_from_json(json));
  }
}

TEST(DiagnosticJson, RoundTrip) {
  const Parsed parsed = parse_domain_config({"f", "name = \"x\ncolour = 1\n"});
  ASSERT_EQ(parsed.diagnostics.size(), 2U);
  for (const Diagnostic& diagnostic : parsed.diagnostics) {
    const auto back = diagnostic_from_json(Json::parse(to_json(diagnostic).dump()));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, diagnostic);
  }
}

TEST(DiagnosticJson, RefusesWhatIsNone) {
  for (const char* text :
       {"[]", "{}", R"({"severity":"fatal"})", R"({"severity":"error","line":-1})",
        R"({"severity":"error","snippet":5})", R"({"severity":"error","x":5})"}) {
    EXPECT_FALSE(diagnostic_from_json(Json::parse(text))) << text;
  }
}

// Whatever the text was, the diagnostics can be sent.
TEST(DiagnosticJson, FindingsInGarbageAreUtf8) {
  std::string text;
  for (int octet = 1; octet < 256; ++octet) {
    text += static_cast<char>(octet);
    text += "\n\"";
  }
  for (const Diagnostic& diagnostic : parse_domain_config({"f", text}).diagnostics) {
    EXPECT_NO_THROW((void)to_json(diagnostic).dump());
  }
}

LibxlUpdate update() {
  return {"renamed", mib(3), mib(2), {0, 1}, "credit2", 512, 0};
}

TEST(LibxlJson, ListedIsTheStoredOneWithWhatHasChanged) {
  const auto listed = to_listed_libxl_json(
      R"({"c_info":{"type":"pvh","name":"old","domid":4294967295},"b_info":{"max_vcpus":4,)"
      R"("avail_vcpus":[0],"max_memkb":1,"target_memkb":1,"sched_params":{},"x":{}},"disks":[1]})",
      DomId(7), update());
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->dump(),
            R"({"domid":7,"config":{"c_info":{"type":"pvh","name":"renamed","domid":4294967295},)"
            R"("b_info":{"max_vcpus":4,"avail_vcpus":[0,1],"max_memkb":3072,"target_memkb":2048,)"
            R"("sched_params":{"sched":"credit2","weight":512,"cap":0},"x":{}},"disks":[1]}})");
}

TEST(LibxlJson, OfDomain0ThereAreNoVcpusAndNoShareIfNobodyKnows) {
  LibxlUpdate now = update();
  now.name = "Domain-0";
  now.weight = {};
  const auto listed = to_listed_libxl_json(domain0_to_stored_libxl_json().dump(), DomId(0), now);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->dump(),
            R"({"domid":0,"config":{"c_info":{"type":"pv","name":"Domain-0"},"b_info":)"
            R"({"max_memkb":3072,"target_memkb":2048,"sched_params":{},"type.pv":{},)"
            R"("arch_arm":{},"arch_x86":{}}}})");
}

TEST(LibxlJson, ListedRefusesWhatLibxlDoesNotKeep) {
  for (const char* text :
       {"", "{", "[]", "5", "{}", R"({"c_info":{},"b_info":[]})", R"({"c_info":5,"b_info":{}})"}) {
    EXPECT_FALSE(to_listed_libxl_json(text, DomId(1), update())) << text;
  }
}

}  // namespace
}  // namespace xl::config
