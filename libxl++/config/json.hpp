// SPDX-License-Identifier: Apache-2.0
// DomainConfig as JSON: our own stable form (stored state, API), and the form of stock `xl list
// -l`. Pure. A caller includes <nlohmann/json.hpp> itself where it needs more than to pass the
// values on.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libxl++/config/diagnostic.hpp"
#include "libxl++/config/domain_config.hpp"

namespace xl::config {

struct Devices;  // devices/devices.hpp

// One object; absent members mean the default. Members: name, uuid (string), kernel, ramdisk,
// command_line, memory_kib, max_memory_kib, vcpus, max_vcpus, on_poweroff, on_reboot, on_crash
// (strings), acpi (boolean), scheduling (json_scheduling.hpp; absent if it is the default).
nlohmann::json to_json(const DomainConfig& config);

// The inverse: domain_config_from_json(to_json(c)) == c for each valid c. The input is untrusted:
// unknown members, wrong types and values that validate() refuses are errors (invalid_config,
// naming the member).
Result<DomainConfig> domain_config_from_json(const nlohmann::json& json);

// {"severity","file","line","column","length","message","hint","rule","snippet":{"text","caret","width"}}
nlohmann::json to_json(const Diagnostic& diagnostic);
Result<Diagnostic> diagnostic_from_json(const nlohmann::json& json);

// A libxl_domain_config as stock `xl -N create` prints it: as parsed, without what libxl fills in
// when it creates the domain.
nlohmann::ordered_json to_libxl_json(const DomainConfig& config, const Devices& devices);

// A libxl_domain_config as libxl keeps it of a domain that it made (libxl-json): the dry run's,
// with what libxl fills in when it creates the domain. The UUID must be there.
nlohmann::ordered_json to_stored_libxl_json(const DomainConfig& config);

// The same for Domain-0, which has no DomainConfig.
nlohmann::ordered_json domain0_to_stored_libxl_json();

// The inverse of both, from whichever toolstack. Errors: io; that is no libxl_domain_config.
Result<nlohmann::ordered_json> stored_libxl_json(std::string_view text);

// What may have changed since a domain was made, or was never kept.
struct LibxlUpdate {
  std::string name;
  std::optional<Bytes> max_memory, memory;
  std::vector<std::uint32_t> vcpus;  // available to the guest
  std::string scheduler;
  std::optional<std::uint32_t> weight, cap;
};

// One element of the array that stock `xl list -l` prints:
// {"domid":N,"config":{"c_info":...,"b_info":...,"on_reboot":...}}, from what is stored. Errors:
// the same.
Result<nlohmann::ordered_json> to_listed_libxl_json(std::string_view stored, DomId domid,
                                                    const LibxlUpdate& now);

}  // namespace xl::config
