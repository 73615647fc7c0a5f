// SPDX-License-Identifier: Apache-2.0
// xld's command line; xld(8) says what each means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/error.hpp"

namespace xl::daemon {

enum class HypervisorChoice {
  automatic,  // the real Xen on its domain 0, else the bundled one
  xen,
  bundled,
};

struct Options {
  HypervisorChoice hypervisor = HypervisorChoice::automatic;
  std::string runtime_dir;  // absolute
  std::string log_file;     // empty: standard error
  std::string log_level = "info";
  std::string console_log_dir;  // empty: in the runtime directory
  std::string dump_dir;      // empty: /var/lib/xen/dump for root's, else in the runtime directory
  bool end_domains = false;  // end the hypervisor that an earlier daemon left, and nothing else
  bool doctor = false;       // say whether this machine can run it, and nothing else
  std::optional<int> ready_fd;   // told when the socket takes connections
  std::string qemu;              // empty: the backend looks for it
  std::string hypervisor_image;  // the same
  std::uint64_t memory_mib = 0;  // 0: the backend's choice
  unsigned cpus = 0;             // 0: all
  std::uint64_t console_log_kib = 1024;
  std::uint64_t kernel_cache_mib = 512;
};

// Options, or what to print before ending with status 0 (--help, --version).
Result<std::variant<Options, std::string>> parse_options(int count, const char* const* words);

}  // namespace xl::daemon
