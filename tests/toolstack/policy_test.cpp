// SPDX-License-Identifier: Apache-2.0
// The toolstack's pure parts: names, deaths, delays, log lines, xenstore nodes.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "libxl++/toolstack/death_policy.hpp"
#include "libxl++/toolstack/domain_nodes.hpp"
#include "libxl++/toolstack/registry.hpp"
#include "libxl++/xenstore/path.hpp"
#include "libxl++/xenstore/server.hpp"

namespace xl::toolstack {
namespace {

using config::ShutdownAction;
using hv::ShutdownReason;

config::Uuid uuid(std::uint8_t last) {
  config::Uuid::Octets octets{};
  octets[15] = last;
  return config::Uuid(octets);
}

TEST(RegistryOf, NamesGivesEachOnce) {
  Registry registry;
  auto first = registry.claim("a", uuid(1));
  ASSERT_TRUE(first);
  const auto taken = registry.claim("a", uuid(2));
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find("being created"), std::string::npos);
  EXPECT_EQ(registry.claim("b", uuid(1)).error().code, ErrorCode::already_exists);
  first->set_domain(DomId(7));
  EXPECT_NE(registry.claim("a", uuid(2)).error().message.find("domain 7"), std::string::npos);
  EXPECT_EQ(registry.get(DomId(7)).error().code, ErrorCode::busy);
  EXPECT_EQ(registry.get(DomId(8)).error().code, ErrorCode::not_found);
  first->release();
  EXPECT_EQ(first->name(), "a");
  EXPECT_FALSE(registry.find("a"));
  EXPECT_TRUE(registry.claim("a", uuid(1)));
}

TEST(RegistryOf, NamesRenames) {
  Registry registry;
  auto claim = registry.claim("a", uuid(1));
  claim->set_domain(DomId(7));
  auto other = registry.claim("b", uuid(2));
  EXPECT_EQ(claim->rename("b").error().code, ErrorCode::already_exists);
  ASSERT_TRUE(claim->rename("c"));
  EXPECT_EQ(registry.find("c"), DomId(7));
  EXPECT_FALSE(registry.find("a"));
  EXPECT_EQ(registry.names(), (std::map<DomId, std::string>{{DomId(7), "c"}}));
}

TEST(RegistryOf, NamesSplits) {
  Registry registry;
  auto claim = registry.claim("a", uuid(1));
  claim->set_domain(DomId(7));
  auto taken = registry.claim("a-kept", uuid(2));
  auto second = claim->split("-kept", uuid(3));
  ASSERT_TRUE(second);
  EXPECT_EQ(claim->name(), "a-kept-2");
  EXPECT_EQ(claim->uuid(), uuid(3));
  EXPECT_EQ(registry.find("a-kept-2"), DomId(7));
  EXPECT_EQ(second->name(), "a");
  EXPECT_EQ(second->uuid(), uuid(1));
  EXPECT_FALSE(registry.find("a"));
  EXPECT_EQ(registry.claim("a", uuid(4)).error().code, ErrorCode::already_exists);
  EXPECT_EQ(registry.claim("b", uuid(1)).error().code, ErrorCode::already_exists);
  EXPECT_EQ(registry.names(), (std::map<DomId, std::string>{{DomId(7), "a-kept-2"}}));
  claim->release();
  EXPECT_TRUE(registry.claim("a-kept-2", uuid(3)));
  EXPECT_EQ(claim->split("-kept", uuid(5)).error().code, ErrorCode::not_found);
}

TEST(RegistryOf, NamesSplitsWithinTheLengthOfAName) {
  Registry registry;
  auto claim = registry.claim(std::string(config::max_name_length, 'n'), uuid(1));
  ASSERT_TRUE(claim->split("-20261122T1605Z", uuid(2)));
  EXPECT_TRUE(config::check_domain_name(claim->name()));
}

TEST(Death, FollowsTheConfiguration) {
  config::DomainConfig config;
  config.on_poweroff = ShutdownAction::destroy;
  config.on_reboot = ShutdownAction::restart;
  config.on_crash = ShutdownAction::preserve;
  EXPECT_EQ(action_for(ShutdownReason::poweroff, config, false), ShutdownAction::destroy);
  EXPECT_EQ(action_for(ShutdownReason::reboot, config, false), ShutdownAction::restart);
  EXPECT_EQ(action_for(ShutdownReason::crash, config, false), ShutdownAction::preserve);
  EXPECT_EQ(action_for(ShutdownReason::watchdog, config, false), ShutdownAction::destroy);
  EXPECT_EQ(action_for(ShutdownReason::soft_reset, config, false), ShutdownAction::soft_reset);
  config.on_watchdog = ShutdownAction::restart_rename;
  config.on_soft_reset = ShutdownAction::coredump_destroy;
  EXPECT_EQ(action_for(ShutdownReason::watchdog, config, false), ShutdownAction::restart_rename);
  EXPECT_EQ(action_for(ShutdownReason::soft_reset, config, false),
            ShutdownAction::coredump_destroy);
  EXPECT_EQ(action_for(ShutdownReason::suspend, config, false), ShutdownAction::preserve);
  EXPECT_EQ(action_for(ShutdownReason::poweroff, config, true), ShutdownAction::preserve);
}

TEST(Death, SlowsARebootLoopAndNothingElse) {
  using std::chrono::milliseconds;
  EXPECT_EQ(restart_delay(milliseconds(10), milliseconds(2000)), milliseconds(1990));
  EXPECT_EQ(restart_delay(milliseconds(2001), milliseconds(2000)), milliseconds(0));
}

TEST(Death, NamesAPreservedDomainAsXlDoes) {
  const auto when = std::chrono::system_clock::from_time_t(1795363500);
  EXPECT_EQ(preserved_suffix(when), "-20261122T1605Z");
}

TEST(Death, TakesTheLinesAboutItsDomain) {
  const std::string log =
      "[1] error: d1 v0 crashed\n[2] d1v0: rip\n[3] (d1) says\n[4] domain 1 gone\n"
      "[5] d11 v0 crashed\n[6] d2 refers to abcd1\n[7] dom1: x\n[8] domain 12";
  EXPECT_EQ(lines_about(DomId(1), log),
            "[1] error: d1 v0 crashed\n[2] d1v0: rip\n[3] (d1) says\n[4] domain 1 gone\n"
            "[7] dom1: x\n");
  EXPECT_EQ(lines_about(DomId(12), log), "[8] domain 12\n");
  EXPECT_EQ(lines_about(DomId(3), ""), "");
}

class Nodes : public ::testing::Test {
 protected:
  Nodes() {
    config_.name = "guest";
    config_.memory = mib(128);
    config_.max_memory = mib(256);
    config_.vcpus = 1;
    config_.max_vcpus = 2;
    const auto nodes = domain_nodes({DomId(5),
                                     uuid(1),
                                     config_,
                                     {Gfn(0xfeffc), EventPort(1)},
                                     {Gfn(0xfefff), EventPort(2)},
                                     {}});
    EXPECT_TRUE(server_.write(nodes));
    for (const auto& node : nodes) {
      paths_.push_back(node.path);
    }
  }
  std::string read(const std::string& path) {
    const auto value = server_.read(path);
    EXPECT_TRUE(value) << path;
    return value.value_or("");
  }
  config::DomainConfig config_;
  xenstore::Server server_;
  std::vector<std::string> paths_;
};

TEST_F(Nodes, AreWhatFrontendsAndToolsLookFor) {
  const std::string home = "/local/domain/5";
  const std::string vm = "/vm/00000000-0000-0000-0000-000000000001";
  EXPECT_EQ(read(home + "/name"), "guest");
  EXPECT_EQ(read(home + "/vm"), vm);
  EXPECT_EQ(read(home + "/domid"), "5");
  EXPECT_EQ(read(home + "/memory/target"), "131072");
  EXPECT_EQ(read(home + "/cpu/0/availability"), "online");
  EXPECT_EQ(read(home + "/cpu/1/availability"), "offline");
  EXPECT_EQ(read(home + "/store/port"), "1");
  EXPECT_EQ(read(home + "/store/ring-ref"), "1044476");
  EXPECT_EQ(read(home + "/console/port"), "2");
  EXPECT_EQ(read(home + "/console/type"), "xenconsoled");
  EXPECT_EQ(read(home + "/control/platform-feature-multiprocessor-suspend"), "1");
  EXPECT_EQ(read(vm + "/name"), "guest");
  EXPECT_EQ(read("/libxl/5/type"), "pvh");
  EXPECT_EQ(read("/local/domain/0/backend/console/5/0/frontend"), home + "/console");
}

TEST_F(Nodes, GiveTheGuestItsOwnAndNothingElse) {
  const xenstore::Caller caller{DomId(5), {}};
  std::set<std::string> writable;
  std::map<std::string, xenstore::PermissionsRef> permissions;
  for (const auto& node : domain_nodes(
           {DomId(5), uuid(1), config_, {Gfn(1), EventPort(1)}, {Gfn(2), EventPort(2)}, {}})) {
    const auto parent = permissions.find(std::string(xenstore::parent_of(node.path)));
    const auto own = node.permissions != nullptr || parent == permissions.end() ? node.permissions
                                                                                : parent->second;
    permissions[node.path] = own;
    if (own != nullptr && allows(access_of(*own, caller), xenstore::Access::write)) {
      writable.insert(node.path.substr(node.path.rfind('/') + 1));
    }
    if (node.path.starts_with("/libxl")) {
      EXPECT_TRUE(own == nullptr || !allows(access_of(*own, caller), xenstore::Access::read))
          << node.path;
    }
  }
  EXPECT_EQ(writable,
            (std::set<std::string>{"attr", "backend-id", "data", "drivers", "error",
                                   "event-channel", "feature", "feature-poweroff", "feature-reboot",
                                   "feature-suspend", "shutdown", "sysrq"}));
}

TEST_F(Nodes, AllLieInTheDirectoriesThatGoWithTheDomain) {
  const auto directories = domain_directories(DomId(5), uuid(1));
  for (const std::string& path : paths_) {
    EXPECT_TRUE(std::any_of(directories.begin(), directories.end(), [&](const std::string& at) {
      return xenstore::is_within(path, at);
    })) << path;
  }
  server_.remove_domain(DomId(5), directories);
  EXPECT_TRUE(server_.list("/local/domain")->size() == 1);
  EXPECT_TRUE(server_.list("/vm")->empty());
  EXPECT_TRUE(server_.list("/libxl")->empty());
}

}  // namespace
}  // namespace xl::toolstack
