// SPDX-License-Identifier: Apache-2.0
// RuntimeDir: the folder that makes one daemon: its socket, locks, log and records lie there, and
// daemons in two folders do not see each other. Any thread.
#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"

namespace xl::api {

class RuntimeDir {
 public:
  // $XL_RUNTIME_DIR; else /run/xl for root, $XDG_RUNTIME_DIR/xl for others, or where there is none
  // /tmp/xl-UID. Touches nothing. Error: invalid_argument for a path that cannot be.
  static Result<RuntimeDir> from_environment();
  explicit RuntimeDir(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string socket() const { return path_ + "/xld.sock"; }
  std::string daemon_lock() const { return path_ + "/xld.lock"; }   // held while xld lives
  std::string start_lock() const { return path_ + "/start.lock"; }  // held while xl starts xld
  std::string log_file() const { return path_ + "/xld.log"; }
  std::string console_dir() const { return path_ + "/console"; }

  // Makes the folder (and its parents) with mode 0700 if it is missing. Error: permission_denied if
  // it belongs to somebody else or others may write to it: they could put their own socket there.
  Result<void> make() const;

 private:
  std::string path_;
};

}  // namespace xl::api
