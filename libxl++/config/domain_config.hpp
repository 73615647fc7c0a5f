// SPDX-License-Identifier: Apache-2.0
// DomainConfig: what a user asks for when creating a PVH domain, whatever the syntax it was written
// in. A plain value, owned by who holds it, without locks. An object that parse_domain_config or
// domain_config_from_json returned is valid in the sense of validate(); one filled in by hand is
// not until validate() says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libxl++/config/cpu_list.hpp"
#include "libxl++/config/uuid.hpp"

namespace xl::config {

// What becomes of a domain that has ended; the names are xl.cfg(5)'s.
enum class ShutdownAction : std::uint8_t {
  destroy,           // free everything
  preserve,          // keep it for inspection until `xl destroy`
  restart,           // destroy it and create it again from the same config
  restart_rename,    // keep it under another name, and create it again from the same config
  coredump_destroy,  // write a core file, then as destroy
  coredump_restart,  // write a core file, then as restart
  soft_reset,        // the same domain runs on with fresh event channels, grants and rings
};
inline constexpr ShutdownAction all_shutdown_actions[] = {
    ShutdownAction::destroy,          ShutdownAction::preserve,
    ShutdownAction::restart,          ShutdownAction::restart_rename,
    ShutdownAction::coredump_destroy, ShutdownAction::coredump_restart,
    ShutdownAction::soft_reset};

std::string_view to_string(ShutdownAction action);
std::optional<ShutdownAction> parse_shutdown_action(std::string_view text);  // exact match only

// The domain's part of the host's CPUs, in the terms of xl sched-credit2 and xl vcpu-pin.
struct Scheduling {
  std::uint32_t weight = 256;          // 1..65535
  std::uint32_t cap = 0;               // per cent of one CPU for the whole domain; 0: none
  std::vector<CpuSet> cpus = {};       // entry i: where vcpu i may run; without one: anywhere
  std::vector<CpuSet> cpus_soft = {};  // entry i: where vcpu i had better run
  bool operator==(const Scheduling&) const = default;
};

struct DomainConfig {
  std::string name;          // see check_domain_name
  std::optional<Uuid> uuid;  // none: the toolstack draws a random one
  std::string kernel;   // path as written; relative to the working directory of the user's command
  std::string ramdisk;  // the same; empty: no ramdisk
  std::string command_line;     // complete: cmdline, or "root=ROOT EXTRA"; may be empty
  Bytes memory = mib(32);       // RAM at start (libxl's default), a whole number of KiB
  Bytes max_memory = mib(32);   // most RAM the domain may ever have, >= memory
  std::uint32_t vcpus = 1;      // online at start
  std::uint32_t max_vcpus = 1;  // most vcpus the domain may ever have, >= vcpus
  ShutdownAction on_poweroff = ShutdownAction::destroy;
  ShutdownAction on_reboot = ShutdownAction::restart;
  ShutdownAction on_watchdog = ShutdownAction::destroy;
  ShutdownAction on_crash = ShutdownAction::destroy;
  ShutdownAction on_soft_reset = ShutdownAction::soft_reset;
  Scheduling scheduling = {};
  bool acpi = true;  // give the guest ACPI tables

  bool operator==(const DomainConfig&) const = default;
};

// Bounds that validate() and the parsers hold to.
inline constexpr std::size_t max_name_length = 128;           // octets
inline constexpr std::size_t max_path_length = 4095;          // octets, PATH_MAX without its NUL
inline constexpr std::size_t max_command_line_length = 2047;  // octets, as Linux on x86 takes it
inline constexpr std::uint32_t max_vcpu_count = 64;
inline constexpr std::uint32_t max_weight = 65535;
inline constexpr std::uint32_t max_cap = 65535;
inline constexpr Bytes min_memory = mib(1);
inline constexpr Bytes max_memory_limit = gib(16 * 1024);

// Whether a domain may be called so (create and rename): 1 to max_name_length octets of UTF-8; no
// control character, no '/' (logs are named after domains), no space at either end; not "." or
// "..", no '-' in front (it would read as an option), not digits alone (it would read as a domid),
// not "Domain-0". Error: invalid_config.
Result<void> check_domain_name(std::string_view name);

// Checks every field against the bounds above. Errors: invalid_config, naming the first field that
// is wrong.
Result<void> validate(const DomainConfig& config);

}  // namespace xl::config
