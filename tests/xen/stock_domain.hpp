// SPDX-License-Identifier: Apache-2.0
// A paused domain that the stock xl made, for as long as this lives.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "base/types.hpp"
#include "libxl++/xenstore/host_store.hpp"

namespace xl::fixture {

inline int shell(const std::string& line) {
  return std::system(line.c_str());
}

class StockDomain {
 public:
  // `guest` is one of tests/guests/.
  StockDomain(xenstore::HostStore& store, std::string name, const std::string& guest)
      : name_(std::move(name)) {
    const char* build = std::getenv("XL_BUILD");
    const std::string config = "/tmp/" + name_ + ".cfg";
    std::ofstream(config) << "type='pvh'\nname='" << name_ << "'\nmemory=32\nmaxvcpus=2\nkernel='"
                          << (build == nullptr ? "build" : build) << "/tests/guests/" << guest
                          << ".elf'\n";
    EXPECT_EQ(shell("/usr/sbin/xl create -q -p " + config), 0);
    const auto ids = store.list("/local/domain");
    for (const std::string& id : *ids) {
      if (store.read("/local/domain/" + id + "/name").value_or("") == name_) {
        id_ = DomId(static_cast<std::uint16_t>(std::stoul(id)));
      }
    }
  }
  ~StockDomain() { xl("destroy"); }
  StockDomain(const StockDomain&) = delete;
  StockDomain& operator=(const StockDomain&) = delete;

  DomId id() const { return id_; }
  const std::string& name() const { return name_; }
  // `xl COMMAND NAME REST`; its exit status.
  int xl(const std::string& command, const std::string& rest = {}) const {
    return shell("/usr/sbin/xl " + command + ' ' + name_ + ' ' + rest);
  }

 private:
  const std::string name_;
  DomId id_;
};

}  // namespace xl::fixture
