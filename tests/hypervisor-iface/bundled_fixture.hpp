// SPDX-License-Identifier: Apache-2.0
// A real hypervisor for a test: started in a directory of its own, ended with it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "hypervisor-iface/bundled/bundled_hypervisor.hpp"

namespace xl::hv::bundled {

class TemporaryDir {
 public:
  TemporaryDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "xl-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryDir(const TemporaryDir&) = delete;
  TemporaryDir& operator=(const TemporaryDir&) = delete;
  ~TemporaryDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline Options test_options(const std::string& directory) {
  Options options;
  options.runtime_dir = directory;
  options.memory = mib(512);
  options.cpus = 2;
  options.hypervisor_image = XL_TEST_HYPERVISOR;
  return options;
}

inline std::string text_of(const Error& error) {
  return describe(error);
}

class BundledTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = BundledHypervisor::start(test_options(directory_.path()));
    ASSERT_TRUE(started) << text_of(started.error());
    hypervisor_ = std::move(started).value();
  }
  void TearDown() override {
    if (hypervisor_) {
      hypervisor_->terminate();
    }
  }

  TemporaryDir directory_;
  std::unique_ptr<BundledHypervisor> hypervisor_;
};

}  // namespace xl::hv::bundled
