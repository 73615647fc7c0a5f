// SPDX-License-Identifier: Apache-2.0
// The stock xl reads what we keep of a domain, as if libxl had written it; in dom0.
#include "libxl++/toolstack/libxl_userdata.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/xen/stock_domain.hpp"

namespace xl::toolstack {
namespace {

class RealUserdata : public ::testing::Test {
 protected:
  // As the stock xl shows the domain.
  nlohmann::json listed() const {
    EXPECT_EQ(domain_.xl("list -l", ">/tmp/listed"), 0);
    return nlohmann::json::parse(std::ifstream("/tmp/listed"), nullptr, false);
  }
  unsigned files() const {
    unsigned found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/var/lib/xen")) {
      found += entry.path().string().find(to_string(uuid())) != std::string::npos ? 1 : 0;
    }
    return found;
  }
  config::Uuid uuid() const {
    const std::string home = "/local/domain/" + std::to_string(domain_.id().value());
    return *config::Uuid::parse(std::string_view(*store_->read(home + "/vm")).substr(4));
  }
  config::DomainConfig config() const {
    config::DomainConfig config;
    config.name = domain_.name();
    config.uuid = uuid();
    config.kernel = "/ours";
    config.command_line = "a \"quoted\" word";
    config.memory = mib(32);
    config.max_memory = mib(32);
    config.max_vcpus = 2;
    config.scheduling.weight = 300;
    config.on_crash = config::ShutdownAction::coredump_restart;
    config.acpi = false;
    return config;
  }

  const LibxlUserdata data_;
  std::unique_ptr<xenstore::HostStore> store_ =
      *xenstore::HostStore::connect("/run/xenstored/socket");
  fixture::StockDomain domain_{*store_, "xl-test-userdata", "idle"};
};

TEST_F(RealUserdata, IsTakenByTheStockXl) {
  ASSERT_TRUE(data_.write(domain_.id(), uuid(), libxl_json(config())));
  const nlohmann::json shown = listed();
  ASSERT_EQ(shown.size(), 1U) << shown;
  const nlohmann::json& inner = shown[0]["config"];
  EXPECT_EQ(inner["c_info"]["name"], domain_.name());
  EXPECT_EQ(inner["c_info"]["uuid"], to_string(uuid()));
  EXPECT_EQ(inner["b_info"]["kernel"], "/ours");
  EXPECT_EQ(inner["b_info"]["cmdline"], "a \"quoted\" word");
  EXPECT_EQ(inner["b_info"]["acpi"], "False");
  EXPECT_EQ(inner["on_crash"], "coredump_restart");
  EXPECT_EQ(inner["on_reboot"], "restart");
  // It reads the file, and writes it anew.
  EXPECT_EQ(domain_.xl("vcpu-set", "2"), 0);
  EXPECT_EQ(listed()[0]["config"]["b_info"]["kernel"], "/ours");
  EXPECT_GT(files(), 0U);
  ASSERT_TRUE(data_.remove(domain_.id(), uuid()));
  EXPECT_EQ(files(), 0U);
}

}  // namespace
}  // namespace xl::toolstack
