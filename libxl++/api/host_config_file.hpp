// SPDX-License-Identifier: Apache-2.0
// HostConfigFile: xl.conf(5) as it is at each request, so that a change needs no restart. Any
// thread.
#pragma once

#include <mutex>
#include <string>

#include "libxl++/api/wire.hpp"
#include "libxl++/config/host_config.hpp"

namespace xl::api {

class HostConfigFile {
 public:
  // $XL_CONF, which must be there if it is set, or /etc/xen/xl.conf, which may be missing.
  HostConfigFile();
  HostConfigFile(std::string path, bool must_exist)
      : path_(std::move(path)), must_exist_(must_exist) {}

  struct View {
    config::HostConfig config;
    std::string warnings;  // rendered; only of what has not been warned about yet
  };
  // Errors: invalid_config, with the findings; not_found.
  Answer<View> read();

 private:
  Result<std::string> read_text() const;

  std::string path_;
  bool must_exist_ = false;
  std::mutex mutex_;
  std::string warned_about_;  // the text whose warnings have been given; under mutex_
};

}  // namespace xl::api
